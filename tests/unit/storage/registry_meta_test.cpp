#include "storage/meta/registry_meta.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <thread>

#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

oci::RepoName repo(std::string_view text) { return oci::RepoName::parse(text).value(); }
oci::Tag tag(std::string_view text) { return oci::Tag::parse(text).value(); }
oci::Digest digest(std::uint8_t seed) {
  Hash256 hash{};
  hash.fill(seed);
  return oci::Digest::sha256(hash);
}
oci::Descriptor descriptor(std::uint8_t seed, std::string media_type = "application/octet-stream") {
  return {.media_type = std::move(media_type),
          .digest = digest(seed),
          .size = 10,
          .artifact_type = {},
          .has_urls = false};
}
StoredManifest stored(std::uint8_t seed, std::string body = "{}") {
  return {digest(seed), std::string(oci::kMediaOciManifest), std::move(body)};
}

class RegistryMetaTest : public ::testing::TestWithParam<bool> {
 protected:
  RegistryMetaTest() { reopen(); }
  void reopen() {
    meta_.reset();
    auto meta = open_registry_meta(GetParam() ? dir_ / "meta.db" : ":memory:");
    EXPECT_TRUE(meta.ok()) << meta.error().text();
    meta_ = std::move(*meta);
  }
  Status put(std::string_view name, std::uint8_t seed, const std::vector<oci::Tag>& tags = {},
             const oci::Manifest& parsed = {}) {
    return meta_->put_manifest(repo(name), stored(seed), parsed, tags);
  }
  test::TempDir dir_;
  std::unique_ptr<RegistryMeta> meta_;
};
INSTANTIATE_TEST_SUITE_P(Databases, RegistryMetaTest, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "file" : "memory"; });

TEST_P(RegistryMetaTest, BlobBelongsToTheRepositoriesItWasLinkedTo) {
  ASSERT_TRUE(meta_->link_blob(repo("a/b"), digest(1), 42).ok());
  ASSERT_TRUE(meta_->link_blob(repo("a/b"), digest(1), 42).ok());
  EXPECT_EQ(meta_->blob_size(repo("a/b"), digest(1)).value(), 42u);
  EXPECT_TRUE(meta_->has_blob(repo("a/b"), digest(1)).value());
  EXPECT_FALSE(meta_->has_blob(repo("a"), digest(1)).value());
  EXPECT_EQ(meta_->blob_size(repo("a/b"), digest(2)).error().code(), "blob_unknown");
  ASSERT_TRUE(meta_->link_blob(repo("a"), digest(1), 42).ok());
  EXPECT_EQ(meta_->repositories_with(digest(1), 10).value().size(), 2u);
  ASSERT_TRUE(meta_->unlink_blob(repo("a/b"), digest(1)).ok());
  EXPECT_EQ(meta_->unlink_blob(repo("a/b"), digest(1)).error().code(), "blob_unknown");
  EXPECT_EQ(meta_->unlink_blob(repo("none"), digest(1)).error().code(), "blob_unknown");
  EXPECT_EQ(meta_->repositories_with(digest(1), 10).value().size(), 1u);
}

TEST_P(RegistryMetaTest, ManifestComesBackByTagAndByDigest) {
  ASSERT_TRUE(put("a", 1, {tag("v1"), tag("latest")}).ok());
  EXPECT_EQ(meta_->get_manifest(repo("a"), tag("v1")).value().digest, digest(1));
  EXPECT_EQ(meta_->get_manifest(repo("a"), digest(1)).value().body, "{}");
  EXPECT_EQ(meta_->get_manifest(repo("a"), digest(1)).value().media_type, oci::kMediaOciManifest);
  EXPECT_EQ(meta_->get_manifest(repo("a"), tag("v2")).error().code(), "manifest_unknown");
  EXPECT_EQ(meta_->get_manifest(repo("b"), tag("v1")).error().code(), "name_unknown");
  ASSERT_TRUE(put("a", 2, {tag("latest")}).ok());
  EXPECT_EQ(meta_->get_manifest(repo("a"), tag("latest")).value().digest, digest(2));
  EXPECT_EQ(meta_->get_manifest(repo("a"), tag("v1")).value().digest, digest(1));
}

TEST_P(RegistryMetaTest, TellsWhetherARepositoryHasAManifest) {
  ASSERT_TRUE(put("a", 1).ok());
  ASSERT_TRUE(put("b", 2).ok());
  EXPECT_TRUE(meta_->has_manifest(repo("a"), digest(1)).value());
  EXPECT_FALSE(meta_->has_manifest(repo("a"), digest(2)).value());
  EXPECT_FALSE(meta_->has_manifest(repo("none"), digest(1)).value());
  ASSERT_TRUE(meta_->delete_manifest(repo("a"), digest(1)).ok());
  EXPECT_FALSE(meta_->has_manifest(repo("a"), digest(1)).value());
}

TEST_P(RegistryMetaTest, BodyIsKeptByteForByte) {
  const std::string body("{ \"a\" : \0 \xff\n}", 14);
  ASSERT_TRUE(meta_->put_manifest(repo("a"), stored(1, body), {}, {}).ok());
  EXPECT_EQ(meta_->get_manifest(repo("a"), digest(1)).value().body, body);
}

TEST_P(RegistryMetaTest, ManifestNeedsItsBlobsInTheSameRepository) {
  oci::Manifest manifest;
  manifest.config = descriptor(10);
  manifest.layers = {descriptor(11)};
  ASSERT_TRUE(meta_->link_blob(repo("a"), digest(10), 1).ok());
  ASSERT_TRUE(meta_->link_blob(repo("other"), digest(11), 1).ok());
  auto refused = put("a", 1, {tag("x")}, manifest);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), "manifest_blob_unknown");
  EXPECT_EQ(refused.error().detail(), digest(11).str());
  EXPECT_FALSE(meta_->get_manifest(repo("a"), tag("x")).ok());
  ASSERT_TRUE(meta_->link_blob(repo("a"), digest(11), 1).ok());
  EXPECT_TRUE(put("a", 1, {tag("x")}, manifest).ok());
}

TEST_P(RegistryMetaTest, RefusedFirstPushMakesNoRepository) {
  oci::Manifest manifest;
  manifest.config = descriptor(10);
  ASSERT_FALSE(put("fresh", 1, {}, manifest).ok());
  EXPECT_TRUE(meta_->repositories("", 10).value().empty());
}

TEST_P(RegistryMetaTest, ForeignLayersNeedNotBeThere) {
  oci::Manifest manifest;
  manifest.layers = {descriptor(11)};
  manifest.layers[0].has_urls = true;
  EXPECT_TRUE(put("a", 1, {}, manifest).ok());
}

TEST_P(RegistryMetaTest, IndexNeedsItsManifests) {
  oci::Manifest index;
  index.is_index = true;
  index.manifests = {descriptor(1, std::string(oci::kMediaOciManifest))};
  EXPECT_EQ(put("a", 2, {}, index).error().code(), "manifest_blob_unknown");
  ASSERT_TRUE(meta_->link_blob(repo("a"), digest(1), 1).ok());
  EXPECT_EQ(put("a", 2, {}, index).error().code(), "manifest_blob_unknown");
  ASSERT_TRUE(put("a", 1).ok());
  EXPECT_TRUE(put("a", 2, {}, index).ok());
}

TEST_P(RegistryMetaTest, DeletingAManifestTakesItsTagsAndReferrerRow) {
  oci::Manifest artifact;
  artifact.subject = descriptor(1);
  ASSERT_TRUE(put("a", 1, {tag("v1"), tag("v2")}).ok());
  ASSERT_TRUE(put("a", 2, {}, artifact).ok());
  ASSERT_TRUE(put("b", 1, {tag("v1")}).ok());
  ASSERT_TRUE(meta_->delete_manifest(repo("a"), digest(1)).ok());
  EXPECT_EQ(meta_->delete_manifest(repo("a"), digest(1)).error().code(), "manifest_unknown");
  EXPECT_TRUE(meta_->tags(repo("a"), "", 10).value().empty());
  EXPECT_EQ(meta_->get_manifest(repo("b"), tag("v1")).value().body, "{}");
  EXPECT_EQ(meta_->referrers(repo("a"), digest(1)).value().size(), 1u);
  ASSERT_TRUE(meta_->delete_manifest(repo("a"), digest(2)).ok());
  EXPECT_TRUE(meta_->referrers(repo("a"), digest(1)).value().empty());
}

TEST_P(RegistryMetaTest, DeletingATagKeepsTheManifest) {
  ASSERT_TRUE(put("a", 1, {tag("v1")}).ok());
  ASSERT_TRUE(meta_->delete_tag(repo("a"), tag("v1")).ok());
  EXPECT_EQ(meta_->delete_tag(repo("a"), tag("v1")).error().code(), "manifest_unknown");
  EXPECT_TRUE(meta_->get_manifest(repo("a"), digest(1)).ok());
}

TEST_P(RegistryMetaTest, TagsAreSortedWithoutCaseAndPaged) {
  ASSERT_TRUE(put("a", 1, {tag("b"), tag("A"), tag("a"), tag("C"), tag("B"), tag("_x")}).ok());
  using Names = std::vector<std::string>;
  EXPECT_EQ(meta_->tags(repo("a"), "", 10).value(), (Names{"_x", "A", "a", "B", "b", "C"}));
  EXPECT_EQ(meta_->tags(repo("a"), "", 2).value(), (Names{"_x", "A"}));
  EXPECT_EQ(meta_->tags(repo("a"), "A", 2).value(), (Names{"a", "B"}));
  EXPECT_EQ(meta_->tags(repo("a"), "bb", 2).value(), (Names{"C"}));
  EXPECT_EQ(meta_->tags(repo("a"), "", 0).value(), Names{});
  EXPECT_EQ(meta_->tags(repo("none"), "", 10).error().code(), "name_unknown");
}

TEST_P(RegistryMetaTest, CatalogIsSortedAndPaged) {
  for (const char* name : {"c", "a", "b/x"}) {
    ASSERT_TRUE(meta_->link_blob(repo(name), digest(1), 1).ok());
  }
  using Names = std::vector<std::string>;
  EXPECT_EQ(meta_->repositories("", 10).value(), (Names{"a", "b/x", "c"}));
  EXPECT_EQ(meta_->repositories("a", 1).value(), (Names{"b/x"}));
}

TEST_P(RegistryMetaTest, ReferrersByTypeAndInPages) {
  for (std::uint8_t i = 1; i <= 4; ++i) {
    oci::Manifest artifact;
    artifact.subject = descriptor(100);
    artifact.artifact_type = i % 2 == 0 ? "even" : "";
    artifact.config = descriptor(50, "odd");
    artifact.annotations = {{"n", "\"" + std::to_string(i)}};
    ASSERT_TRUE(meta_->link_blob(repo("a"), digest(50), 1).ok());
    ASSERT_TRUE(put("a", i, {}, artifact).ok());
  }
  auto all = meta_->referrers(repo("a"), digest(100)).value();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].artifact_type, "odd");
  EXPECT_EQ(all[0].annotations_json, R"({"n":"\"1"})");
  EXPECT_EQ(all[0].size, 2u);
  EXPECT_EQ(meta_->referrers(repo("a"), digest(100), {.artifact_type = "even", .after = {}})
                .value()
                .size(),
            2u);
  auto page = meta_
                  ->referrers(repo("a"), digest(100),
                              {.artifact_type = {}, .after = all[1].digest.str(), .limit = 1})
                  .value();
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].digest, all[2].digest);
  EXPECT_TRUE(meta_->referrers(repo("none"), digest(100)).value().empty());
}

TEST_P(RegistryMetaTest, ReferrersEndWithTheRowThatPassesTheBytes) {
  const std::size_t each = 1000;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    oci::Manifest artifact;
    artifact.subject = descriptor(100);
    artifact.annotations = {{"n", std::string(each - std::size(R"({"n":""})") + 1, 'x')}};
    ASSERT_TRUE(put("a", i, {}, artifact).ok());
  }
  const auto rows = [&](std::size_t bytes) {
    ReferrerQuery query;
    query.bytes = bytes;
    return meta_->referrers(repo("a"), digest(100), query).value().size();
  };
  EXPECT_EQ(rows(each * 3), 4u);
  EXPECT_EQ(rows(each * 3 - 1), 3u);
  EXPECT_EQ(rows(each * 2), 3u);
  EXPECT_EQ(rows(each * 2 - 1), 2u);
  // One that alone is too much still shows that there is more.
  EXPECT_EQ(rows(each - 1), 2u);
  EXPECT_EQ(rows(0), 2u);
}

TEST_P(RegistryMetaTest, UploadRecordsAndTorrents) {
  const UploadRecord record{std::string(32, 'a'), repo("a"), "user",
                            UnixTime(std::chrono::seconds(7))};
  ASSERT_TRUE(meta_->put_upload(record).ok());
  EXPECT_EQ(meta_->upload(record.id).value().repository, repo("a"));
  EXPECT_EQ(meta_->uploads().value().size(), 1u);
  ASSERT_TRUE(meta_->delete_upload(record.id).ok());
  ASSERT_TRUE(meta_->delete_upload(record.id).ok());
  EXPECT_EQ(meta_->upload(record.id).error().code(), "blob_upload_unknown");
}

TEST_P(RegistryMetaTest, TorrentsAreRememberedByClusterTheLatestFirst) {
  const auto torrent = [](std::uint8_t seed) {
    Hash256 root{};
    root.fill(seed);
    return RememberedTorrent{
        std::string(40, static_cast<char>('a' + seed)),
        {.digest = digest(seed), .size = 9, .piece_length = 16384, .pieces_root = root}};
  };
  const auto at = [](int seconds) { return UnixTime(std::chrono::seconds(seconds)); };
  ASSERT_TRUE(meta_->remember_torrent("c", torrent(1), at(1)).ok());
  ASSERT_TRUE(meta_->remember_torrent("c", torrent(2), at(2)).ok());
  ASSERT_TRUE(meta_->remember_torrent("c", torrent(1), at(3)).ok());
  auto found = meta_->torrents("c", 10).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].meta, torrent(1).meta);
  EXPECT_EQ(found[1].short_hex, torrent(2).short_hex);
  EXPECT_EQ(meta_->torrents("c", 1).value().size(), 1u);
  EXPECT_TRUE(meta_->torrents("d", 10).value().empty());
  ASSERT_TRUE(meta_->forget_torrent("c", torrent(1).short_hex).ok());
  EXPECT_EQ(meta_->torrents("c", 10).value().size(), 1u);
}

TEST(RegistryMetaFile, StateSurvivesAndTheFileIsPrivate) {
  test::TempDir dir;
  {
    auto meta = open_registry_meta(dir / "meta.db").value();
    ASSERT_TRUE(meta->link_blob(repo("a"), digest(1), 5).ok());
    ASSERT_TRUE(meta->put_upload({std::string(32, 'a'), repo("a"), "u", UnixTime{}}).ok());
  }
  auto meta = open_registry_meta(dir / "meta.db").value();
  EXPECT_EQ(meta->blob_size(repo("a"), digest(1)).value(), 5u);
  EXPECT_TRUE(meta->upload(std::string(32, 'a')).ok());
  struct stat st{};
  ASSERT_EQ(::stat((dir / "meta.db").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777u, 0600u);
}

TEST(RegistryMetaFile, DatabaseOfALaterVersionIsLeftAlone) {
  test::TempDir dir;
  ASSERT_TRUE(open_registry_meta(dir / "meta.db").ok());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((dir / "meta.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version=999", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_EQ(open_registry_meta(dir / "meta.db").error().code(), "database_newer");
}

TEST(RegistryMetaFile, ReadersAndWritersOfManyThreads) {
  test::TempDir dir;
  auto meta = open_registry_meta(dir / "meta.db").value();
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto d = digest(static_cast<std::uint8_t>(t * 25 + i));
        if (!meta->link_blob(repo("a"), d, 1).ok()) ++failures;
        if (!meta->has_blob(repo("a"), d).value_or(false)) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace convoy::storage
