#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "crypto/hash.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"
#include "storage/meta/registry_upkeep.hpp"
#include "support/manual_clock.hpp"
#include "support/storage_crash.hpp"
#include "support/storage_dir.hpp"

// A registry's pushes, deletions and collections over a disk that loses what was not synced. After
// a crash behind any operation what was acknowledged must be whole, and nothing half may be served.
// CONVOY_CRASH_POINTS sets how many crashes (default 45), CONVOY_CRASH_SEED what happens.
namespace convoy::storage {
namespace {

namespace fs = std::filesystem;
using test::Lost;

constexpr int kSteps = 60;
constexpr std::uint64_t kRepositories = 2;

std::uint64_t number_from(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

oci::Digest digest_of(std::string_view bytes) {
  return oci::Digest::sha256(crypto::sha256(as_bytes(bytes)));
}

std::vector<Hash256> leaves_of(std::string_view bytes) {
  if (bytes.empty()) return {};
  crypto::MerkleLeaves leaves;
  leaves.update(as_bytes(bytes));
  return leaves.finish();
}

struct Image {
  oci::RepoName repository;
  std::string body;
  std::vector<std::string> layers;
  oci::Tag tag;
};

/// What the registry does at once for one client. Doing it a second time, as a client does that
/// was not answered, comes to the same.
struct Step {
  enum Kind { push, mount, remove, collect, part, quarantine, mend, reopen } kind = push;
  std::size_t image = 0;
  std::string id;  // of its uploads
};

/// What clients may rely on.
struct Told {
  std::set<std::size_t> images;
  std::map<std::string, std::size_t> tags;
};

struct Script {
  explicit Script(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::string> layers;
    for (const std::size_t size : {0U, 1U, 700U, 16384U, 16385U, 40'000U, 3000U, 9000U, 20'000U})
      layers.push_back(std::string(size, static_cast<char>('a' + layers.size())));
    for (int i = 0; i < kSteps / 2; ++i) {
      Image image{repository(random() % kRepositories),
                  "{\"n\":" + std::to_string(i) + "}",
                  {layers[random() % layers.size()], layers[random() % layers.size()]},
                  oci::Tag::parse("t" + std::to_string(random() % 4)).value()};
      images.push_back(std::move(image));
    }
    Told told;
    std::vector<std::size_t> pushed;
    for (int i = 0; i < kSteps; ++i) {
      Step step;
      step.id = std::string(30, '0') + std::to_string(10 + i);
      const auto roll = random() % 20;
      if (i < 4 || roll < 9 || pushed.empty()) {
        step.kind = roll % 4 == 0 ? Step::mount : Step::push;
        step.image = random() % images.size();
        pushed.push_back(step.image);
        told.images.insert(step.image);
        told.tags[tag_key(images[step.image])] = step.image;
      } else {
        step.image = pushed[random() % pushed.size()];
        step.kind = roll < 12   ? Step::remove
                    : roll < 15 ? Step::collect
                    : roll < 16 ? Step::part
                    : roll < 17 ? Step::quarantine
                    : roll < 18 ? Step::mend
                                : Step::reopen;
        if (step.kind == Step::remove) {
          told.images.erase(step.image);
          std::erase_if(told.tags, [&](const auto& t) { return t.second == step.image; });
        }
        // The client finds out and pushes again.
        if (step.kind == Step::quarantine) {
          const auto bad = images[step.image].layers[0];
          std::erase_if(told.images, [&](std::size_t at) { return holds(images[at], bad); });
        }
      }
      steps.push_back(step);
      after.push_back(told);
    }
  }

  static oci::RepoName repository(std::uint64_t number) {
    return oci::RepoName::parse("team/r" + std::to_string(number)).value();
  }
  static std::string tag_key(const Image& image) {
    return image.repository.str() + ":" + image.tag.str();
  }
  static bool holds(const Image& image, const std::string& layer) {
    return std::find(image.layers.begin(), image.layers.end(), layer) != image.layers.end();
  }

  std::vector<Image> images;
  std::vector<Step> steps;
  std::vector<Told> after;  // each step
};

/// The stores of a registry in a directory, and what it does with them.
class Stores {
 public:
  explicit Stores(std::string path, Disk& disk = system_disk())
      : path_(std::move(path)), disk_(disk) {
    open();
  }

  void open() {
    meta.reset();
    blobs.reset();
    auto files = open_file_blob_store(path_, disk_);
    auto rows = open_registry_meta(path_ + "/meta.db", &clock);
    ASSERT_TRUE(files.ok()) << files.error().text();
    ASSERT_TRUE(rows.ok()) << rows.error().text();
    blobs = std::move(*files);
    meta = std::move(*rows);
    recover();
  }

  Status run(const Script& script, const Step& step) {
    const Image& image = script.images[step.image];
    switch (step.kind) {
      case Step::push:
      case Step::mount:
        return push(image, step);
      case Step::remove: {
        auto done = meta->delete_manifest(image.repository, digest_of(image.body));
        return done || done.error().code() == "manifest_unknown" ? Status{} : done;
      }
      case Step::collect:
        return collect();
      case Step::part: {
        auto upload = begin(step.id, image.repository);
        if (!upload) return std::move(upload).error();
        if (auto done = (*upload)->append(as_bytes("only a part")); !done) return done;
        if (auto done = (*upload)->sync(); !done) return done;
        return (*upload)->add_note(as_bytes("a note"));
      }
      case Step::quarantine: {
        const auto digest = digest_of(image.layers[0]);
        if (auto done = meta->upkeep().quarantine(digest, "digest_mismatch"); !done) return done;
        auto done = blobs->quarantine(digest);
        return done || done.error().code() == "blob_unknown" ? Status{} : done;
      }
      case Step::mend: {
        const auto& layer = image.layers[0];
        auto done = blobs->replace_leaves(digest_of(layer), leaves_of(layer));
        return done || done.error().code() == "blob_unknown" ? Status{} : done;
      }
      case Step::reopen:
        open();
        return {};
    }
    return {};
  }

  Status collect() {
    auto& upkeep = meta->upkeep();
    const WalkRules rules{clock.wall(), clock.wall(), clock.wall(), 1000, false};
    WalkPosition links;
    if (auto step = upkeep.walk_links(links, rules); !step) return std::move(step).error();
    auto condemned = upkeep.condemned("", 1000);
    if (!condemned) return std::move(condemned).error();
    for (const auto& digest : *condemned) {
      if (auto done = drop(digest); !done) return done;
    }
    for (unsigned bucket = 0; bucket < BlobStore::kBuckets; ++bucket) {
      auto stored = blobs->list(bucket);
      if (!stored) return std::move(stored).error();
      for (const auto& blob : *stored) {
        if (!upkeep.linked(blob.digest).value()) {
          if (auto done = drop(blob.digest); !done) return done;
        }
      }
    }
    return {};
  }

  test::ManualClock clock;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<RegistryMeta> meta;

 private:
  /// As a registry does first.
  void recover() {
    const auto names = blobs->list_uploads().value();
    std::set<std::string> files(names.begin(), names.end());
    const auto records = meta->uploads().value();
    for (const auto& record : records) {
      if (files.erase(record.id) == 0) {
        ASSERT_TRUE(meta->delete_upload(record.id).ok());
      }
    }
    for (const auto& id : files) blobs->reopen_upload(id).value()->discard();
  }

  Status drop(const oci::Digest& digest) {
    auto done = blobs->remove(digest);
    if (!done && done.error().code() != "blob_unknown") return done;
    if (done = blobs->drop_quarantined(digest); !done) return done;
    return meta->upkeep().forget_condemned(digest);
  }

  Result<std::unique_ptr<BlobUpload>> begin(const std::string& id,
                                            const oci::RepoName& repository) {
    if (auto old = blobs->reopen_upload(id)) {
      (*old)->discard();
      if (auto done = meta->delete_upload(id); !done) return std::move(done).error();
    }
    auto upload = blobs->create_upload(id);
    if (!upload) return upload;
    auto done = meta->put_upload({id, repository, "ann", clock.wall()});
    if (!done) return std::move(done).error();
    return upload;
  }

  Status push_layer(const Image& image, const std::string& layer, const Step& step) {
    const auto digest = digest_of(layer);
    if (step.kind == Step::mount) {
      for (std::uint64_t i = 0; i < kRepositories; ++i) {
        auto mounted = meta->mount_blob(Script::repository(i), image.repository, digest);
        if (mounted) return {};
      }
    }
    auto upload = begin(step.id, image.repository);
    if (!upload) return std::move(upload).error();
    const auto half = layer.size() / 2;
    if (auto done = (*upload)->append(as_bytes(layer).first(half)); !done) return done;
    if (auto done = (*upload)->add_note(as_bytes("half")); !done) return done;
    if (auto done = (*upload)->append(as_bytes(layer).subspan(half)); !done) return done;
    if (meta->upkeep().is_quarantined(digest).value()) {
      auto aside = blobs->quarantine(digest);
      if (!aside && aside.error().code() != "blob_unknown") return aside;
    }
    auto done = (*upload)->commit({digest, layer.size(), leaves_of(layer)});
    if (!done) return done;
    if (done = meta->link_blob(image.repository, digest, layer.size()); !done) return done;
    return meta->delete_upload(step.id);
  }

  Status push(const Image& image, const Step& step) {
    oci::Manifest parsed;
    for (const auto& layer : image.layers) {
      if (auto done = push_layer(image, layer, step); !done) return done;
      parsed.layers.push_back({.media_type = "application/octet-stream",
                               .digest = digest_of(layer),
                               .size = layer.size(),
                               .artifact_type = {},
                               .has_urls = false});
    }
    return meta->put_manifest(
        image.repository, {digest_of(image.body), std::string(oci::kMediaOciManifest), image.body},
        parsed, {image.tag});
  }

  std::string path_;
  Disk& disk_;
};

std::string read(BlobStore& blobs, const oci::Digest& digest) {
  auto reader = blobs.open(digest);
  if (!reader) return "not there";
  std::string out((*reader)->size(), '\0');
  const MutableByteView into(reinterpret_cast<std::uint8_t*>(out.data()), out.size());
  EXPECT_TRUE((*reader)->read_at(0, into).ok());
  return out;
}

void check_image(Stores& stores, const Image& image) {
  auto manifest = stores.meta->get_manifest(image.repository, digest_of(image.body));
  ASSERT_TRUE(manifest.ok()) << manifest.error().text() << " " << image.body;
  EXPECT_EQ(manifest->body, image.body);
  for (const auto& layer : image.layers) {
    const auto digest = digest_of(layer);
    EXPECT_EQ(stores.meta->blob_size(image.repository, digest).value(), layer.size());
    EXPECT_EQ(read(*stores.blobs, digest), layer);
    auto leaves = stores.blobs->leaves(digest);
    ASSERT_TRUE(leaves.ok()) << leaves.error().text();
    EXPECT_EQ(*leaves, leaves_of(layer));
  }
}

/// What stands in either is fine, what stands in both is owed.
void check_told(Stores& stores, const Script& script, const Told& before, const Told& after) {
  for (std::size_t i = 0; i < script.images.size(); ++i) {
    const Image& image = script.images[i];
    if (before.images.contains(i) && after.images.contains(i)) check_image(stores, image);
    for (const auto& layer : image.layers) {
      if (stores.meta->has_blob(image.repository, digest_of(layer)).value()) {
        EXPECT_EQ(read(*stores.blobs, digest_of(layer)), layer);
      }
    }
    const auto key = Script::tag_key(image);
    const auto was = before.tags.find(key);
    const auto is = after.tags.find(key);
    auto found = stores.meta->get_manifest(image.repository, image.tag);
    const auto names = [&](const auto& it, const Told& told) {
      if (it == told.tags.end()) return !found.ok();
      return found.ok() && found->body == script.images[it->second].body;
    };
    EXPECT_TRUE(names(was, before) || names(is, after)) << key;
  }
}

void check_stored(Stores& stores) {
  for (unsigned bucket = 0; bucket < BlobStore::kBuckets; ++bucket) {
    const auto stored = stores.blobs->list(bucket).value();
    for (const auto& blob : stored) {
      const auto bytes = read(*stores.blobs, blob.digest);
      EXPECT_EQ(digest_of(bytes), blob.digest);
      auto leaves = stores.blobs->leaves(blob.digest);
      ASSERT_TRUE(leaves.ok()) << leaves.error().text();
      EXPECT_EQ(*leaves, leaves_of(bytes));
    }
  }
}

void check_collected(Stores& stores, const std::string& path) {
  ASSERT_TRUE(stores.collect().ok());
  std::set<std::string> records;
  const auto uploads = stores.meta->uploads().value();
  for (const auto& record : uploads) records.insert(record.id);
  for (const auto& entry : fs::directory_iterator(path + "/uploads"))
    EXPECT_TRUE(records.contains(entry.path().stem())) << entry.path();
  for (const auto& entry : fs::recursive_directory_iterator(path + "/blobs")) {
    if (!entry.is_regular_file()) continue;
    const auto digest = oci::Digest::parse("sha256:" + entry.path().stem().string()).value();
    EXPECT_TRUE(stores.meta->upkeep().linked(digest).value()) << entry.path();
    EXPECT_TRUE(stores.blobs->open(digest).ok()) << entry.path();
  }
}

class StorageCrash : public ::testing::Test {
 protected:
  StorageCrash() : script_(seed_) {
    fs::create_directory(dir_ / "data");
    fs::permissions(dir_ / "data", fs::perms::owner_all);
    log_.emplace(dir_ / "data");
    test::LoggedDisk disk(*log_);
    const test::LoggedSqlite sqlite(*log_);
    Stores stores(dir_ / "data", disk);
    begins_.push_back(log_->size());
    for (std::size_t i = 0; i < script_.steps.size(); ++i) {
      auto done = stores.run(script_, script_.steps[i]);
      EXPECT_TRUE(done.ok()) << done.error().text();
      check_told(stores, script_, script_.after[i], script_.after[i]);
      begins_.push_back(log_->size());
    }
  }

  /// The step that a crash behind `length` operations cut off; the number of steps: none.
  std::size_t step_at(std::size_t length) const {
    const auto it = std::upper_bound(begins_.begin(), begins_.end(), length);
    return static_cast<std::size_t>(it - begins_.begin()) - 1;
  }
  Told told_before(std::size_t step) const { return step == 0 ? Told{} : script_.after[step - 1]; }

  void check_crash(const test::DiskLog& log, std::size_t length, Lost lost, const Told& before,
                   const Told& after) {
    const std::string path = dir_ / ("crash-" + std::to_string(crashes_++));
    log.materialise(length, lost, seed_ + length, path);
    {
      Stores stores(path);
      if (HasFatalFailure()) return;
      check_told(stores, script_, before, after);
      check_stored(stores);
      check_collected(stores, path);
      check_told(stores, script_, before, after);
    }
    fs::remove_all(path);
  }

  /// About so many instants, of all or of those right before a sync.
  std::vector<std::size_t> points(std::size_t wanted, bool before_syncs = false) {
    std::vector<std::size_t> all;
    for (std::size_t i = begins_.front(); i <= log_->size(); ++i) {
      if (!before_syncs || log_->sync_is_due(i)) all.push_back(i);
    }
    std::mt19937_64 random(seed_ + 1);
    const std::size_t size = all.size();
    std::erase_if(all, [&](std::size_t) { return random() % size >= wanted; });
    return all;
  }

  const std::uint64_t seed_ = number_from("CONVOY_CRASH_SEED", 1);
  const std::uint64_t wanted_ = number_from("CONVOY_CRASH_POINTS", 45);
  test::TempDir dir_;
  Script script_;
  std::optional<test::DiskLog> log_;
  std::vector<std::size_t> begins_;  // the operations before each step, and all
  int crashes_ = 0;
};

TEST_F(StorageCrash, LosesNothingThatWasAcknowledged) {
  for (const auto length : points(wanted_)) {
    const auto step = step_at(length);
    const Told before = told_before(step);
    const Told after = step < script_.after.size() ? script_.after[step] : before;
    for (const auto lost : {Lost::everything, Lost::some}) {
      SCOPED_TRACE("seed " + std::to_string(seed_) + ", operation " + std::to_string(length) +
                   ", step " + std::to_string(step) + (lost == Lost::some ? ", some" : ", all"));
      check_crash(*log_, length, lost, before, after);
      if (HasFailure()) return;
    }
  }
}

TEST_F(StorageCrash, OfTheProcessAndThenOfTheMachineLosesNothingThatWasAcknowledgedBetween) {
  for (const auto length : points(wanted_, true)) {
    const auto step = step_at(length);
    if (step >= script_.steps.size()) continue;
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", operation " + std::to_string(length) +
                 ", step " + std::to_string(step));
    const std::string path = dir_ / ("killed-" + std::to_string(length));
    log_->materialise(length, Lost::nothing, 0, path);
    test::DiskLog log(*log_, length, path);
    std::size_t end = 0;
    {
      test::LoggedDisk disk(log);
      const test::LoggedSqlite sqlite(log);
      Stores stores(path, disk);
      check_told(stores, script_, told_before(step), script_.after[step]);
      auto done = stores.run(script_, script_.steps[step]);
      ASSERT_TRUE(done.ok()) << done.error().text();
      end = log.size();  // what closing writes comes too late
    }
    check_crash(log, end, Lost::everything, script_.after[step], script_.after[step]);
    fs::remove_all(path);
    if (HasFailure()) return;
  }
}

TEST(StorageSync, ThatFailsEndsTheUploadInsteadOfBeingTriedAgain) {
  // What one fsync could not write counts as written for the next one.
  for (int good = 0; good < 8; ++good) {
    test::TempDir dir;
    fs::create_directory(dir / "data");
    test::DiskLog log(dir / "data");
    test::LoggedDisk disk(log);
    auto blobs = std::move(open_file_blob_store(dir / "data", disk)).value();
    const std::string id(32, 'a');
    const std::string bytes = "some bytes";
    auto upload = std::move(blobs->create_upload(id)).value();
    ASSERT_TRUE(upload->append(as_bytes(bytes)).ok());
    disk.syncs_before_failure = good;
    const auto done = upload->commit({digest_of(bytes), bytes.size(), leaves_of(bytes)});
    const bool failed = disk.syncs_before_failure < 0;
    disk.syncs_before_failure = -1;
    ASSERT_EQ(done.ok(), !failed) << good;
    EXPECT_EQ(blobs->open(digest_of(bytes)).ok(), done.ok()) << good;
    if (good == 0) {
      EXPECT_EQ(blobs->reopen_upload(id).error().code(), "blob_upload_unknown");
    }
    if (!failed) {
      EXPECT_EQ(upload->append(as_bytes("more")).error().code(), "blob_write");
      EXPECT_EQ(read(*blobs, digest_of(bytes)), bytes);
      return;
    }
  }
  FAIL() << "a commit needs that many syncs?";
}

}  // namespace
}  // namespace convoy::storage
