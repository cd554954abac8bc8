#include "registry/core/collector.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "support/registry_meta.hpp"
#include "support/registry_store.hpp"

namespace convoy::registry {
namespace {

using std::chrono::hours;
using test::RegistryStore;

TEST(Collector, TakesABlobOnlyWhenItsLeaseIsOver) {
  RegistryStore world;
  ASSERT_TRUE(world.push("a", "blob").ok());
  EXPECT_EQ(world.collect().blobs, 0u);
  world.clock.advance(hours(2));
  const auto rehearsal = world.collect(true);
  EXPECT_EQ(rehearsal.links, 1u);
  EXPECT_TRUE(world.stored("blob"));
  const auto report = world.collect();
  EXPECT_EQ(report.links, 1u);
  EXPECT_EQ(report.blobs, 1u);
  EXPECT_EQ(report.blob_bytes, 4u);
  EXPECT_EQ(report.repositories, 1u);
  EXPECT_FALSE(world.stored("blob"));
}

TEST(Collector, PushBetweenMarkAndSweepKeepsItsBlob) {
  // At each step of a run in turn, a client pushes the same bytes anew and goes on to its manifest.
  for (std::size_t before = 0; before < 32; ++before) {
    RegistryStore world;
    ASSERT_TRUE(world.push("a", "layer").ok());
    world.clock.advance(hours(3));
    auto run = world.collector();
    std::size_t steps = 0;
    for (bool more = true; more; ++steps) {
      if (steps == before) {
        ASSERT_TRUE(world.push("b", "layer").ok());
      }
      more = run.step().value();
    }
    if (steps <= before) {
      ASSERT_TRUE(world.push("b", "layer").ok());
    }
    ASSERT_TRUE(world.put("b", "manifest", {"layer"}, {RegistryStore::tag("v1")}).ok()) << before;
    EXPECT_TRUE(world.stored("layer")) << before;
    EXPECT_EQ(world.collect().blobs, 0u);
  }
}

TEST(Collector, MountBetweenMarkAndSweepKeepsItsBlobOrIsRefused) {
  for (std::size_t before = 0; before < 8; ++before) {
    RegistryStore world;
    ASSERT_TRUE(world.push("a", "layer").ok());
    world.clock.advance(hours(3));
    auto run = world.collector();
    bool mounted = false;
    std::size_t steps = 0;
    for (bool more = true; more; ++steps) {
      if (steps == before) {
        mounted = world.meta
                      ->mount_blob(RegistryStore::repo("a"), RegistryStore::repo("b"),
                                   RegistryStore::digest("layer"))
                      .ok();
      }
      more = run.step().value();
    }
    EXPECT_EQ(world.stored("layer"), mounted) << before;
    EXPECT_EQ(world.linked("b", "layer"), mounted) << before;
  }
}

/// Unlinking fails once, as when the process dies just before it.
class DyingStore final : public storage::BlobStore {
 public:
  explicit DyingStore(storage::BlobStore& inner) : inner_(inner) {}
  Result<std::unique_ptr<storage::BlobUpload>> create_upload(const std::string& id) override {
    return inner_.create_upload(id);
  }
  Result<std::unique_ptr<storage::BlobUpload>> reopen_upload(const std::string& id) override {
    return inner_.reopen_upload(id);
  }
  Result<std::vector<std::string>> list_uploads() override { return inner_.list_uploads(); }
  Result<std::unique_ptr<storage::BlobReader>> open(const oci::Digest& d) override {
    return inner_.open(d);
  }
  Result<std::vector<Hash256>> leaves(const oci::Digest& d) override { return inner_.leaves(d); }
  Result<std::uint64_t> size(const oci::Digest& d) override { return inner_.size(d); }
  Status remove(const oci::Digest&) override { return internal_error("blob_write", "died"); }
  Result<std::vector<storage::StoredBlobInfo>> list(unsigned b) override { return inner_.list(b); }
  Status quarantine(const oci::Digest& d) override { return inner_.quarantine(d); }
  Status drop_quarantined(const oci::Digest& d) override { return inner_.drop_quarantined(d); }
  Status replace_leaves(const oci::Digest& d, const std::vector<Hash256>& l) override {
    return inner_.replace_leaves(d, l);
  }

 private:
  storage::BlobStore& inner_;
};

TEST(Collector, CrashBeforeTheUnlinkIsMadeGoodByTheNextRun) {
  RegistryStore world;
  ASSERT_TRUE(world.push("a", "layer").ok());
  world.clock.advance(hours(3));
  {
    DyingStore dying(*world.blobs);
    const ProjectBook none({});
    Collector run(dying, *world.meta, world.gate, none, world.clock, world.rules, false);
    Result<bool> more = true;
    while (more && *more) more = run.step();
    ASSERT_FALSE(more.ok());
  }
  EXPECT_FALSE(world.linked("a", "layer"));
  EXPECT_TRUE(world.stored("layer"));
  world.reopen();
  const auto report = world.collect();
  EXPECT_EQ(report.blobs, 1u);
  EXPECT_EQ(report.orphans, 0u);
  EXPECT_FALSE(world.stored("layer"));
  EXPECT_TRUE(world.meta->upkeep().condemned("", 9).value().empty());
}

TEST(Collector, BytesThatACrashLeftWithoutALinkAreFound) {
  RegistryStore world;
  ASSERT_TRUE(world.store("orphan").ok());
  world.reopen();
  EXPECT_EQ(world.collect(true).orphans, 1u);
  const auto report = world.collect();
  EXPECT_EQ(report.orphans, 1u);
  EXPECT_EQ(report.blobs, 1u);
  EXPECT_FALSE(world.stored("orphan"));
}

TEST(Collector, ChildrenOfAnOldIndexFollowIt) {
  RegistryStore world;
  ASSERT_TRUE(world.push("a", "layer").ok());
  ASSERT_TRUE(world.put("a", "image", {"layer"}, {}).ok());
  oci::Manifest index;
  index.is_index = true;
  index.manifests.push_back({.media_type = std::string(oci::kMediaOciManifest),
                             .digest = RegistryStore::digest("image"),
                             .size = 5,
                             .artifact_type = {},
                             .has_urls = false});
  ASSERT_TRUE(world.meta
                  ->put_manifest(
                      RegistryStore::repo("a"),
                      {RegistryStore::digest("index"), std::string(oci::kMediaOciIndex), "index"},
                      index, {})
                  .ok());
  world.clock.advance(hours(10));
  EXPECT_EQ(world.collect().manifests, 1u);
  EXPECT_EQ(world.collect().manifests, 0u);
  // The child has the time of a lease, not that of an untagged manifest again; its blob likewise.
  world.clock.advance(hours(2));
  EXPECT_EQ(world.collect().manifests, 1u);
  EXPECT_TRUE(world.stored("layer"));
  world.clock.advance(hours(2));
  EXPECT_EQ(world.collect().blobs, 1u);
}

TEST(Collector, KeepsUntaggedManifestsForEverWhenToldSo) {
  RegistryStore world;
  world.rules.untagged_age = {};
  ASSERT_TRUE(world.push("a", "layer").ok());
  ASSERT_TRUE(world.put("a", "image", {"layer"}, {}).ok());
  world.clock.advance(hours(24 * 365));
  EXPECT_EQ(world.collect().manifests, 0u);
  EXPECT_TRUE(world.stored("layer"));
}

TEST(Collector, RetentionRemovesWhatNoRuleKeepsAndExplainsIt) {
  RetentionRule rule;
  rule.keep_newest = 2;
  RegistryStore world({{"team", 0, {"v1"}, {rule}}});
  for (const std::string name : {"team/app", "other"}) {
    ASSERT_TRUE(world.push(name, "layer").ok());
    for (const std::string tag : {"v1", "v2", "v3", "v4"}) {
      world.clock.advance(std::chrono::seconds(1));
      ASSERT_TRUE(world.put(name, "image" + tag, {"layer"}, {RegistryStore::tag(tag)}).ok());
    }
  }
  const auto rehearsal = world.collect(true);
  EXPECT_EQ(rehearsal.tags, 1u);
  ASSERT_EQ(rehearsal.explained.size(), 4u);
  EXPECT_EQ(rehearsal.explained[0].decision.reason, "the tag is immutable");
  EXPECT_FALSE(rehearsal.explained[1].decision.keep);
  EXPECT_EQ(rehearsal.explained[3].decision.reason, "rule 1: number 1 of the 2 newest");
  const auto report = world.collect();
  EXPECT_EQ(report.tags, 1u);
  EXPECT_EQ(world.meta->tags(RegistryStore::repo("team/app"), "", 9).value(),
            (std::vector<std::string>{"v1", "v3", "v4"}));
  EXPECT_EQ(world.meta->tags(RegistryStore::repo("other"), "", 9).value().size(), 4u);
}

TEST(Collector, RetentionRemovesSixtyFourTagsAStep) {
  for (const std::size_t doomed : {64u, 65u}) {
    RetentionRule rule;
    rule.keep_newest = 1;
    RegistryStore world({{"a", 0, {}, {rule}}});
    std::vector<oci::Tag> tags;
    for (std::size_t i = 0; i <= doomed; ++i)
      tags.push_back(RegistryStore::tag("v" + std::to_string(i)));
    ASSERT_TRUE(world.push("a", "layer").ok());
    ASSERT_TRUE(world.put("a", "image", {"layer"}, tags).ok());
    auto run = world.collector();
    EXPECT_TRUE(run.step().value());
    EXPECT_EQ(run.report().tags, 0u);
    EXPECT_TRUE(run.step().value());
    EXPECT_EQ(run.report().tags, 64u);
    EXPECT_TRUE(run.step().value());
    EXPECT_EQ(run.report().tags, doomed);
    while (run.step().value()) {
    }
    EXPECT_EQ(run.report().explained.size(), doomed);
    EXPECT_EQ(world.meta->tags(RegistryStore::repo("a"), "", 99).value().size(), 1u);
  }
}

TEST(Collector, WhatHappensBetweenDecisionAndRemovalKeepsATag) {
  RetentionRule rule;
  rule.keep_pushed = hours(1);
  RegistryStore world({{"a", 0, {}, {rule}}});
  const auto signature =
      RegistryStore::tag("sha256-" + RegistryStore::digest("back").hex() + ".sig");
  ASSERT_TRUE(world.push("a", "layer").ok());
  ASSERT_TRUE(world
                  .put("a", "image", {"layer"},
                       {RegistryStore::tag("left"), RegistryStore::tag("moved"),
                        RegistryStore::tag("pulled"), RegistryStore::tag("pushed"), signature})
                  .ok());
  world.clock.advance(hours(2));
  auto run = world.collector();
  ASSERT_TRUE(run.step().value());
  ASSERT_TRUE(world.put("a", "back", {"layer"}, {RegistryStore::tag("moved")}).ok());
  ASSERT_TRUE(world.put("a", "image", {"layer"}, {RegistryStore::tag("pushed")}).ok());
  ASSERT_TRUE(world.meta
                  ->note_pull(RegistryStore::repo("a"), RegistryStore::digest("image"),
                              RegistryStore::tag("pulled"))
                  .ok());
  while (run.step().value()) {
  }
  EXPECT_EQ(run.report().tags, 1u);
  EXPECT_EQ(world.meta->tags(RegistryStore::repo("a"), "", 9).value(),
            (std::vector<std::string>{"moved", "pulled", "pushed", signature.str()}));
}

/// Nobody can look for manifests, as when the database is busy.
class BlindMeta final : public test::PassingMeta {
 public:
  using PassingMeta::PassingMeta;
  Result<storage::StoredManifest> get_manifest(const oci::RepoName& repo,
                                               const oci::Reference& reference) override {
    if (blind) return unavailable("database_busy");
    return PassingMeta::get_manifest(repo, reference);
  }
  Result<bool> has_manifest(const oci::RepoName& repo, const oci::Digest& digest) override {
    if (blind) return unavailable("database_busy");
    return PassingMeta::has_manifest(repo, digest);
  }
  bool blind = true;
};

TEST(Collector, RetentionWaitsUntilItCanSeeWhetherASignaturesImageIsThere) {
  RegistryStore world;
  RetentionRule rule;
  rule.keep_newest = 1;
  const ProjectBook projects({{"a", 0, {}, {rule}}});
  const auto signature =
      RegistryStore::tag("sha256-" + RegistryStore::digest("new").hex() + ".sig");
  ASSERT_TRUE(world.push("a", "layer").ok());
  ASSERT_TRUE(world.put("a", "old", {"layer"}, {RegistryStore::tag("a1")}).ok());
  world.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(world.put("a", "new", {"layer"}, {RegistryStore::tag("a2")}).ok());
  ASSERT_TRUE(world.put("a", "signature", {"layer"}, {signature}).ok());
  const auto tags = [&] { return world.meta->tags(RegistryStore::repo("a"), "", 9).value(); };
  const auto finish = [](Collector& run) {
    while (run.step().value()) {
    }
  };

  BlindMeta meta(*world.meta);
  Collector run(*world.blobs, meta, world.gate, projects, world.clock, world.rules, false);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(run.step().ok());
  EXPECT_EQ(tags().size(), 3u);
  EXPECT_EQ(run.report().examined, 0u);
  meta.blind = false;
  finish(run);
  EXPECT_EQ(tags(), (std::vector<std::string>{"a2", signature.str()}));

  ASSERT_TRUE(
      world.meta->delete_manifest(RegistryStore::repo("a"), RegistryStore::digest("new")).ok());
  Collector next(*world.blobs, meta, world.gate, projects, world.clock, world.rules, false);
  EXPECT_TRUE(next.step().value());
  meta.blind = true;
  EXPECT_FALSE(next.step().ok());
  EXPECT_EQ(tags().size(), 1u);
  meta.blind = false;
  finish(next);
  EXPECT_TRUE(tags().empty());
}

TEST(Collector, RunsBesideThreadsThatPushTheSameBlob) {
  RegistryStore world;
  world.rules.lease = {};
  std::atomic<bool> over = false;
  std::thread collecting([&] {
    while (!over) world.collect();
  });
  // Without a lease a link may go at once; a blob that a manifest names must stay.
  int named = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "r" + std::to_string(i);
    ASSERT_TRUE(world.push(name, "shared").ok());
    const bool put = world.put(name, "image" + name, {"shared"}, {RegistryStore::tag("v")}).ok();
    if (!put) continue;
    ++named;
    EXPECT_TRUE(world.stored("shared")) << i;
    ASSERT_TRUE(
        world.meta
            ->delete_manifest(RegistryStore::repo(name), RegistryStore::digest("image" + name))
            .ok());
  }
  over = true;
  collecting.join();
  EXPECT_GT(named, 0);
}

}  // namespace
}  // namespace convoy::registry
