#include <gtest/gtest.h>
#include <sqlite3.h>

#include "storage/meta/registry_meta.hpp"
#include "storage/meta/registry_upkeep.hpp"
#include "support/manual_clock.hpp"
#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

oci::RepoName repo(std::string_view text) { return oci::RepoName::parse(text).value(); }
oci::Tag tag(std::string_view text) { return oci::Tag::parse(text).value(); }
oci::Digest digest(std::uint8_t seed) {
  Hash256 hash{};
  hash.fill(seed);
  return oci::Digest::sha256(hash);
}
oci::Descriptor descriptor(std::uint8_t seed) {
  return {.media_type = "application/octet-stream",
          .digest = digest(seed),
          .size = 10,
          .artifact_type = {},
          .has_urls = false};
}
oci::Descriptor child(std::uint8_t seed) {
  auto out = descriptor(seed);
  out.media_type = std::string(oci::kMediaOciManifest);
  return out;
}

class UpkeepTest : public ::testing::Test {
 protected:
  UpkeepTest() { reopen(); }
  void reopen() {
    meta_.reset();
    meta_ = open_registry_meta(dir_ / "meta.db", &clock_).value();
  }
  RegistryUpkeep& upkeep() { return meta_->upkeep(); }

  void link(std::string_view name, std::uint8_t blob, std::uint64_t size = 10) {
    ASSERT_TRUE(meta_->link_blob(repo(name), digest(blob), size).ok());
  }
  Status put(std::string_view name, std::uint8_t seed, const oci::Manifest& parsed,
             const std::vector<oci::Tag>& tags = {}) {
    return meta_->put_manifest(
        repo(name), {digest(seed), std::string(oci::kMediaOciManifest), "{}"}, parsed, tags);
  }
  /// An image of one layer.
  void image(std::string_view name, std::uint8_t seed, std::uint8_t layer,
             const std::vector<oci::Tag>& tags) {
    link(name, layer);
    oci::Manifest parsed;
    parsed.layers.push_back(descriptor(layer));
    ASSERT_TRUE(put(name, seed, parsed, tags).ok());
  }
  bool has_manifest(std::string_view name, std::uint8_t seed) {
    return meta_->get_manifest(repo(name), digest(seed)).ok();
  }
  bool has_blob(std::string_view name, std::uint8_t seed) {
    return meta_->has_blob(repo(name), digest(seed)).value();
  }
  WalkRules rules(Duration age, bool dry_run = false) const {
    const auto since = clock_.wall() - std::chrono::duration_cast<seconds>(age);
    return {since, clock_.wall(), clock_.wall(), 3, dry_run};
  }
  template <class Walk>
  std::size_t walk(Walk step) {
    WalkPosition at;
    std::size_t removed = 0;
    while (!at.done) removed += step(at).value().removed;
    return removed;
  }
  std::size_t walk_manifests(Duration age, bool dry_run = false) {
    return walk([&](WalkPosition& at) { return upkeep().walk_manifests(at, rules(age, dry_run)); });
  }
  std::size_t walk_links(Duration age, bool dry_run = false) {
    return walk([&](WalkPosition& at) { return upkeep().walk_links(at, rules(age, dry_run)); });
  }

  test::TempDir dir_;
  test::ManualClock clock_;
  std::unique_ptr<RegistryMeta> meta_;
};

TEST_F(UpkeepTest, UnnamedBlobGoesWhenItsLeaseIsOverAndNotASecondBefore) {
  link("a", 1);
  clock_.advance(seconds(3599));
  EXPECT_EQ(walk_links(hours(1)), 0u);
  clock_.advance(seconds(1));
  EXPECT_EQ(walk_links(hours(1), true), 1u);
  EXPECT_TRUE(has_blob("a", 1));
  EXPECT_EQ(walk_links(hours(1)), 1u);
  EXPECT_FALSE(has_blob("a", 1));
  EXPECT_EQ(upkeep().condemned("", 10).value(), std::vector{digest(1)});
}

TEST_F(UpkeepTest, BlobThatAnotherRepositoryHoldsIsUnlinkedButNotCondemned) {
  link("a", 1);
  image("b", 50, 1, {tag("v1")});
  clock_.advance(hours(2));
  EXPECT_EQ(walk_links(hours(1)), 1u);
  EXPECT_TRUE(upkeep().condemned("", 10).value().empty());
  EXPECT_TRUE(has_blob("b", 1));
}

TEST_F(UpkeepTest, PushingMountingOrAskingBeginsTheLeaseAgain) {
  link("a", 1);
  link("a", 2);
  link("a", 3);
  clock_.advance(hours(1));
  link("a", 1);
  ASSERT_EQ(meta_->mount_blob(repo("a"), repo("b"), digest(2)).value(), 10u);
  ASSERT_TRUE(meta_->hold_blob(repo("a"), digest(3), seconds(60)).ok());
  EXPECT_EQ(walk_links(hours(1)), 1u);
  EXPECT_TRUE(has_blob("a", 1));
  EXPECT_FALSE(has_blob("a", 2));
  EXPECT_TRUE(has_blob("b", 2));
  EXPECT_TRUE(has_blob("a", 3));
  EXPECT_EQ(meta_->hold_blob(repo("a"), digest(2), seconds(60)).error().code(), "blob_unknown");
  EXPECT_EQ(meta_->mount_blob(repo("a"), repo("b"), digest(2)).error().code(), "blob_unknown");
}

TEST_F(UpkeepTest, BlobsOfADeletedManifestHaveALeaseFromTheDeletion) {
  image("a", 50, 1, {tag("v1")});
  clock_.advance(hours(5));
  EXPECT_EQ(walk_links(hours(1)), 0u);
  ASSERT_TRUE(meta_->delete_manifest(repo("a"), digest(50)).ok());
  EXPECT_EQ(walk_links(hours(1)), 0u);
  clock_.advance(hours(1));
  EXPECT_EQ(walk_links(hours(1)), 1u);
}

TEST_F(UpkeepTest, ManifestStaysWhileATagAnIndexOrASubjectHoldsIt) {
  image("a", 50, 1, {tag("v1")});
  image("a", 51, 1, {});
  image("a", 52, 1, {});
  oci::Manifest index;
  index.is_index = true;
  index.manifests = {child(51)};
  ASSERT_TRUE(put("a", 60, index, {tag("multi")}).ok());
  oci::Manifest signature;
  signature.subject = child(50);
  ASSERT_TRUE(put("a", 70, signature).ok());
  clock_.advance(hours(2));
  EXPECT_EQ(walk_manifests(hours(1), true), 1u);
  EXPECT_EQ(walk_manifests(hours(1)), 1u);
  EXPECT_FALSE(has_manifest("a", 52));
  for (const std::uint8_t seed : std::vector<std::uint8_t>{50, 51, 60, 70}) {
    EXPECT_TRUE(has_manifest("a", seed)) << int(seed);
  }

  // Without their holders they follow, each a lease after it was set free.
  ASSERT_TRUE(meta_->delete_tag(repo("a"), tag("multi")).ok());
  ASSERT_TRUE(meta_->delete_manifest(repo("a"), digest(50)).ok());
  EXPECT_EQ(walk_manifests(hours(1)), 0u);
  clock_.advance(hours(1));
  EXPECT_EQ(walk_manifests(hours(1)), 2u);
  EXPECT_FALSE(has_manifest("a", 60));
  EXPECT_FALSE(has_manifest("a", 70));
  clock_.advance(hours(1));
  EXPECT_EQ(walk_manifests(hours(1)), 1u);
  EXPECT_FALSE(has_manifest("a", 51));
}

TEST_F(UpkeepTest, ManifestPulledByDigestCountsAsOfUse) {
  image("a", 50, 1, {});
  clock_.advance(hours(2));
  ASSERT_TRUE(meta_->note_pull(repo("a"), digest(50), {}).ok());
  EXPECT_EQ(walk_manifests(hours(1)), 0u);
  clock_.advance(hours(1));
  EXPECT_EQ(walk_manifests(hours(1)), 1u);
}

TEST_F(UpkeepTest, MovedTagLeavesItsOldManifestALease) {
  image("a", 50, 1, {tag("latest")});
  clock_.advance(hours(9));
  image("a", 51, 1, {tag("latest")});
  EXPECT_EQ(walk_manifests(hours(1)), 0u);
  clock_.advance(hours(1));
  EXPECT_EQ(walk_manifests(hours(1)), 1u);
  EXPECT_FALSE(has_manifest("a", 50));
  EXPECT_TRUE(has_manifest("a", 51));
}

TEST_F(UpkeepTest, ManifestOfTheSameBytesInAnotherRepositoryKeepsItsBody) {
  image("a", 50, 1, {});
  image("b", 50, 1, {tag("v1")});
  clock_.advance(hours(2));
  EXPECT_EQ(walk_manifests(hours(1)), 1u);
  EXPECT_FALSE(has_manifest("a", 50));
  EXPECT_TRUE(has_manifest("b", 50));
  clock_.advance(hours(2));
  EXPECT_EQ(walk_links(hours(1)), 1u);
  EXPECT_TRUE(has_blob("b", 1));
}

TEST_F(UpkeepTest, NewLinkAbsolvesACondemnedBlob) {
  link("a", 1);
  clock_.advance(hours(1));
  ASSERT_EQ(walk_links(hours(1)), 1u);
  link("b", 1);
  EXPECT_TRUE(upkeep().condemned("", 10).value().empty());
  EXPECT_TRUE(upkeep().linked(digest(1)).value());
  ASSERT_TRUE(meta_->unlink_blob(repo("b"), digest(1)).ok());
  reopen();
  EXPECT_EQ(upkeep().condemned("", 10).value().size(), 1u);
  ASSERT_TRUE(upkeep().forget_condemned(digest(1)).ok());
  EXPECT_TRUE(upkeep().condemned("", 10).value().empty());
}

TEST_F(UpkeepTest, QuarantinedBlobIsMissingEverywhereUntilItIsPushedAgain) {
  image("a", 50, 1, {tag("v1")});
  ASSERT_TRUE(upkeep().quarantine(digest(1), "digest_mismatch").ok());
  EXPECT_FALSE(has_blob("a", 1));
  EXPECT_EQ(meta_->blob_size(repo("a"), digest(1)).error().code(), "blob_unknown");
  EXPECT_EQ(meta_->mount_blob(repo("a"), repo("b"), digest(1)).error().code(), "blob_unknown");
  oci::Manifest parsed;
  parsed.layers.push_back(descriptor(1));
  EXPECT_EQ(put("a", 51, parsed).error().code(), "manifest_blob_unknown");
  EXPECT_EQ(upkeep().quarantined(10).value().at(0).reason, "digest_mismatch");
  link("a", 1);
  EXPECT_TRUE(has_blob("a", 1));
  EXPECT_TRUE(upkeep().quarantined(10).value().empty());
}

TEST_F(UpkeepTest, GuardedTagIsMadeOnceAndNeitherMovedNorRemoved) {
  meta_->guard_tags([](const oci::RepoName& name, const std::string& text) {
    return name.str() == "a" && text.starts_with("v");
  });
  image("a", 50, 1, {tag("v1")});
  image("a", 50, 1, {tag("v1")});
  oci::Manifest parsed;
  parsed.layers.push_back(descriptor(1));
  const auto moved = put("a", 51, parsed, {tag("latest"), tag("v1")});
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code(), "tag_immutable");
  EXPECT_EQ(moved.error().kind(), ErrorClass::denied);
  // The refused push left nothing behind, not even its other tag.
  EXPECT_FALSE(has_manifest("a", 51));
  EXPECT_FALSE(meta_->get_manifest(repo("a"), tag("latest")).ok());
  EXPECT_EQ(meta_->delete_tag(repo("a"), tag("v1")).error().code(), "tag_immutable");
  EXPECT_EQ(meta_->delete_manifest(repo("a"), digest(50)).error().code(), "tag_immutable");
  EXPECT_FALSE(upkeep().remove_tag(repo("a"), upkeep().tags(repo("a"), "", 9).value()[0]).value());
  image("b", 50, 1, {tag("v1")});
  EXPECT_TRUE(meta_->delete_tag(repo("b"), tag("v1")).ok());
}

TEST_F(UpkeepTest, TagIsRemovedOnlyAsItWasSeen) {
  image("a", 50, 1, {tag("v1")});
  const auto seen = upkeep().tags(repo("a"), "", 10).value().at(0);
  clock_.advance(seconds(1));
  image("a", 50, 1, {tag("v1")});
  EXPECT_FALSE(upkeep().remove_tag(repo("a"), seen).value());
  const auto again = upkeep().tags(repo("a"), "", 10).value().at(0);
  EXPECT_EQ(again.pushed - seen.pushed, seconds(1));
  ASSERT_TRUE(meta_->note_pull(repo("a"), digest(50), tag("v1")).ok());
  EXPECT_FALSE(upkeep().remove_tag(repo("a"), again).value());
  const auto pulled = upkeep().tags(repo("a"), "", 10).value().at(0);
  EXPECT_TRUE(upkeep().remove_tag(repo("a"), pulled).value());
}

TEST_F(UpkeepTest, BytesFollowWhatRepositoriesHold) {
  link("team", 1, 100);
  link("team/app", 1, 100);
  link("team/app", 1, 100);
  link("teamwork", 2, 7);
  link("team0", 2, 7);
  EXPECT_EQ(upkeep().bytes_below("team").value(), 200u);
  oci::Manifest parsed;
  ASSERT_TRUE(put("team/app", 50, parsed).ok());
  ASSERT_TRUE(put("team/app", 50, parsed).ok());
  EXPECT_EQ(upkeep().bytes_below("team").value(), 202u);
  EXPECT_EQ(upkeep().bytes_below("team", {"team/app"}).value(), 100u);
  EXPECT_EQ(upkeep().bytes_below("team", {"team/app/web", "team/ap"}).value(), 202u);
  ASSERT_TRUE(meta_->delete_manifest(repo("team/app"), digest(50)).ok());
  ASSERT_TRUE(meta_->unlink_blob(repo("team"), digest(1)).ok());
  EXPECT_EQ(upkeep().bytes_below("team").value(), 100u);
  const auto use = upkeep().use().value();
  EXPECT_EQ(use.blobs, 2u);
  EXPECT_EQ(use.blob_bytes, 107u);
  EXPECT_EQ(use.linked_bytes, 114u);
}

TEST_F(UpkeepTest, EmptyRepositoryIsForgotten) {
  link("a", 1);
  image("b", 50, 1, {tag("v1")});
  ASSERT_TRUE(meta_->unlink_blob(repo("a"), digest(1)).ok());
  EXPECT_EQ(walk([&](WalkPosition& at) { return upkeep().walk_repositories(at, rules({})); }), 1u);
  EXPECT_EQ(meta_->repositories("", 10).value(), std::vector<std::string>{"b"});
}

/// What the first version of the schema held.
constexpr const char* kFirstVersion = R"sql(
CREATE TABLE repositories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE repository_blobs (repository_id INTEGER NOT NULL REFERENCES repositories(id),
  digest TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (repository_id, digest)) WITHOUT ROWID;
CREATE INDEX repository_blobs_by_digest ON repository_blobs(digest, repository_id);
CREATE TABLE manifest_bodies (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL);
CREATE TABLE manifests (repository_id INTEGER NOT NULL REFERENCES repositories(id),
  digest TEXT NOT NULL, media_type TEXT NOT NULL,
  PRIMARY KEY (repository_id, digest)) WITHOUT ROWID;
CREATE INDEX manifests_by_digest ON manifests(digest);
CREATE TABLE tags (repository_id INTEGER NOT NULL REFERENCES repositories(id), name TEXT NOT NULL,
  folded TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository_id, name)) WITHOUT ROWID;
CREATE INDEX tags_in_order ON tags(repository_id, folded, name);
CREATE INDEX tags_by_digest ON tags(repository_id, digest);
CREATE TABLE referrers (repository_id INTEGER NOT NULL REFERENCES repositories(id),
  subject TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
  artifact_type TEXT NOT NULL, annotations TEXT NOT NULL,
  PRIMARY KEY (repository_id, subject, digest)) WITHOUT ROWID;
CREATE INDEX referrers_by_digest ON referrers(repository_id, digest);
CREATE TABLE uploads (id TEXT NOT NULL PRIMARY KEY, repository TEXT NOT NULL,
  subject TEXT NOT NULL, started INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE torrents (cluster TEXT NOT NULL, short_hash TEXT NOT NULL, digest TEXT NOT NULL,
  size INTEGER NOT NULL, piece_length INTEGER NOT NULL, pieces_root TEXT NOT NULL,
  seen INTEGER NOT NULL, PRIMARY KEY (cluster, short_hash)) WITHOUT ROWID;
CREATE INDEX torrents_by_age ON torrents(cluster, seen);
PRAGMA user_version=1;
)sql";

TEST_F(UpkeepTest, DatabaseOfTheFirstVersionLearnsWhoNamesWhom) {
  meta_.reset();
  const std::string path = dir_ / "old.db";
  const auto text = [](std::uint8_t seed) { return "'" + digest(seed).str() + "'"; };
  const auto json = [](std::uint8_t seed) { return R"({"digest":")" + digest(seed).str() + "\"}"; };
  const std::string rows =
      "INSERT INTO repositories VALUES(1,'a');"
      "INSERT INTO repository_blobs VALUES(1," +
      text(1) + ",10),(1," + text(2) + ",20),(1," + text(3) +
      ",30);INSERT INTO manifest_bodies VALUES(5," + text(50) + ",CAST('{\"config\":" + json(1) +
      ",\"layers\":[" + json(2) + "," + json(2) + "]}' AS BLOB)),(6," + text(60) +
      ",CAST('{\"manifests\":[" + json(50) + "]}' AS BLOB));INSERT INTO manifests VALUES(1," +
      text(50) + ",'x'),(1," + text(60) + ",'y');INSERT INTO tags VALUES(1,'v1','v1'," + text(60) +
      ");";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, kFirstVersion, nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, rows.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);

  meta_ = open_registry_meta(path, &clock_).value();
  // The migration dates everything now, by the machine's clock.
  clock_.advance(SystemClock().wall() - clock_.wall());
  EXPECT_EQ(walk_links(hours(1)), 0u);
  clock_.advance(hours(2));
  EXPECT_EQ(walk_manifests(hours(1)), 0u);
  EXPECT_EQ(walk_links(hours(1)), 1u);
  EXPECT_FALSE(has_blob("a", 3));
  EXPECT_TRUE(has_blob("a", 1));
  EXPECT_TRUE(has_blob("a", 2));
  EXPECT_GT(upkeep().bytes_below("a").value(), 30u);
}

}  // namespace
}  // namespace convoy::storage
