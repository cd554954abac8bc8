#include "storage/blob/blob_store.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.hpp"
#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

const std::string kId(32, 'a');
const std::string kOther(32, 'b');

Bytes sample(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
  return out;
}

BlobFacts facts_of(ByteView bytes) {
  crypto::MerkleLeaves leaves;
  leaves.update(bytes);
  return {oci::Digest::sha256(crypto::sha256(bytes)), bytes.size(),
          bytes.empty() ? std::vector<Hash256>() : leaves.finish()};
}

/// Opens the store of one kind again and again over the same data.
struct Maker {
  virtual ~Maker() = default;
  virtual std::shared_ptr<BlobStore> open() = 0;
};
struct FileMaker final : Maker {
  test::TempDir dir;
  std::shared_ptr<BlobStore> open() override {
    auto store = open_file_blob_store(dir / "store");
    EXPECT_TRUE(store.ok()) << store.error().text();
    return std::move(*store);
  }
};
struct MemoryMaker final : Maker {
  std::shared_ptr<BlobStore> store = make_memory_blob_store();
  std::shared_ptr<BlobStore> open() override { return store; }
};

class BlobStoreSuite : public ::testing::TestWithParam<const char*> {
 protected:
  BlobStoreSuite() {
    if (std::string_view(GetParam()) == "file")
      maker_ = std::make_unique<FileMaker>();
    else
      maker_ = std::make_unique<MemoryMaker>();
    store_ = maker_->open();
  }
  oci::Digest put(ByteView bytes, const std::string& id = kId) {
    auto upload = store_->create_upload(id);
    EXPECT_TRUE(upload.ok());
    EXPECT_TRUE((*upload)->append(bytes).ok());
    const auto facts = facts_of(bytes);
    EXPECT_TRUE((*upload)->commit(facts).ok());
    return facts.digest;
  }
  std::unique_ptr<Maker> maker_;
  std::shared_ptr<BlobStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, BlobStoreSuite, ::testing::Values("file", "memory"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(BlobStoreSuite, CommittedBytesComeBackAtAnyPosition) {
  const Bytes bytes = sample(100'000);
  const auto digest = put(bytes);
  auto reader = store_->open(digest);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->size(), bytes.size());
  Bytes out(1000);
  ASSERT_TRUE((*reader)->read_at(99'000, out).ok());
  EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin() + 99'000));
  ASSERT_TRUE((*reader)->read_at(7, out).ok());
  EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin() + 7));
}

TEST_P(BlobStoreSuite, ReadPastTheEndFails) {
  auto reader = store_->open(put(sample(10)));
  ASSERT_TRUE(reader.ok());
  Bytes out(11);
  EXPECT_EQ((*reader)->read_at(0, out).error().code(), "blob_read");
  out.resize(1);
  EXPECT_TRUE((*reader)->read_at(9, out).ok());
  EXPECT_EQ((*reader)->read_at(10, out).error().code(), "blob_read");
  EXPECT_EQ((*reader)->read_at(~std::uint64_t{0}, out).error().code(), "blob_read");
}

TEST_P(BlobStoreSuite, LeavesAreKeptBesideTheBlob) {
  const Bytes bytes = sample(40'000);
  const auto digest = put(bytes);
  auto leaves = store_->leaves(digest);
  ASSERT_TRUE(leaves.ok());
  EXPECT_EQ(*leaves, facts_of(bytes).leaves);
  EXPECT_EQ(leaves->size(), 3u);
}

TEST_P(BlobStoreSuite, EmptyBlobIsABlob) {
  const auto digest = put({});
  EXPECT_EQ(store_->size(digest).value(), 0u);
  EXPECT_TRUE(store_->leaves(digest).value().empty());
}

TEST_P(BlobStoreSuite, UnknownDigestIsRefusedEverywhere) {
  const auto digest = facts_of(sample(5)).digest;
  EXPECT_EQ(store_->open(digest).error().code(), "blob_unknown");
  EXPECT_EQ(store_->size(digest).error().code(), "blob_unknown");
  EXPECT_EQ(store_->leaves(digest).error().code(), "blob_unknown");
  EXPECT_EQ(store_->remove(digest).error().code(), "blob_unknown");
  put(sample(5));
  EXPECT_EQ(store_->size(oci::Digest::of(oci::DigestAlgorithm::sha512, Bytes(64))).error().code(),
            "blob_unknown");
}

TEST_P(BlobStoreSuite, SecondCommitOfADigestChangesNothing) {
  const Bytes bytes = sample(20'000);
  put(bytes);
  const auto digest = put(bytes, kOther);
  EXPECT_EQ(store_->size(digest).value(), bytes.size());
  EXPECT_TRUE(store_->list_uploads().value().empty());
}

TEST_P(BlobStoreSuite, ReaderOutlivesRemoval) {
  const Bytes bytes = sample(5000);
  const auto digest = put(bytes);
  auto reader = store_->open(digest);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(store_->remove(digest).ok());
  EXPECT_EQ(store_->open(digest).error().code(), "blob_unknown");
  Bytes out(bytes.size());
  ASSERT_TRUE((*reader)->read_at(0, out).ok());
  EXPECT_EQ(out, bytes);
}

TEST_P(BlobStoreSuite, UploadSurvivesTheLossOfItsObjectAndOfTheStore) {
  const Bytes bytes = sample(50'000);
  {
    auto upload = store_->create_upload(kId);
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE((*upload)->append(ByteView(bytes).first(30'000)).ok());
  }
  store_.reset();
  store_ = maker_->open();
  EXPECT_EQ(store_->list_uploads().value(), std::vector<std::string>{kId});
  auto upload = store_->reopen_upload(kId);
  ASSERT_TRUE(upload.ok());
  EXPECT_EQ((*upload)->size(), 30'000u);
  Bytes back(30'000);
  ASSERT_TRUE((*upload)->read_at(0, back).ok());
  EXPECT_TRUE(std::equal(back.begin(), back.end(), bytes.begin()));
  ASSERT_TRUE((*upload)->append(ByteView(bytes).subspan(30'000)).ok());
  const auto facts = facts_of(bytes);
  ASSERT_TRUE((*upload)->commit(facts).ok());
  EXPECT_EQ(store_->reopen_upload(kId).error().code(), "blob_upload_unknown");
  Bytes out(bytes.size());
  ASSERT_TRUE(store_->open(facts.digest).value()->read_at(0, out).ok());
  EXPECT_EQ(out, bytes);
}

TEST_P(BlobStoreSuite, DiscardedUploadIsGone) {
  auto upload = store_->create_upload(kId);
  ASSERT_TRUE(upload.ok());
  (*upload)->discard();
  EXPECT_TRUE(store_->list_uploads().value().empty());
  EXPECT_EQ(store_->reopen_upload(kId).error().code(), "blob_upload_unknown");
}

TEST_P(BlobStoreSuite, NotesAreAppendedReadCutAndGoneWithTheirUpload) {
  auto upload = std::move(store_->create_upload(kId)).value();
  Bytes out(8, '-');
  EXPECT_EQ(upload->read_notes(0, out).value(), 0U);
  EXPECT_TRUE(upload->cut_notes(0).ok());
  ASSERT_TRUE(upload->add_note(as_bytes("first")).ok());
  ASSERT_TRUE(upload->add_note(as_bytes("second")).ok());
  EXPECT_EQ(upload->read_notes(3, out).value(), 8U);
  EXPECT_EQ(as_text(out), "stsecond");
  EXPECT_EQ(upload->read_notes(4, out).value(), 7U);
  EXPECT_EQ(upload->read_notes(11, out).value(), 0U);
  EXPECT_EQ(upload->read_notes(12, out).value(), 0U);
  ASSERT_TRUE(upload->cut_notes(5).ok());
  ASSERT_TRUE(upload->add_note(as_bytes("2")).ok());
  upload = std::move(store_->reopen_upload(kId)).value();
  EXPECT_EQ(upload->read_notes(0, out).value(), 6U);
  EXPECT_EQ(as_text(out).substr(0, 6), "first2");
  EXPECT_EQ(store_->list_uploads().value().size(), 1U) << "notes are no upload";

  upload->discard();
  upload = std::move(store_->create_upload(kId)).value();
  EXPECT_EQ(upload->read_notes(0, out).value(), 0U);
  ASSERT_TRUE(upload->append(as_bytes("bytes")).ok());
  ASSERT_TRUE(upload->add_note(as_bytes("note")).ok());
  ASSERT_TRUE(upload->sync().ok());
  ASSERT_TRUE(upload->commit(facts_of(to_bytes(as_bytes("bytes")))).ok());
  upload = std::move(store_->create_upload(kId)).value();
  EXPECT_EQ(upload->read_notes(0, out).value(), 0U);
}

TEST_P(BlobStoreSuite, UploadIdsAreHexAndUnique) {
  for (const char* bad :
       {"", "a", "../../../../../../etc/passwd/000", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(store_->create_upload(bad).ok()) << bad;
    EXPECT_EQ(store_->reopen_upload(bad).error().code(), "blob_upload_unknown") << bad;
  }
  ASSERT_TRUE(store_->create_upload(kId).ok());
  EXPECT_FALSE(store_->create_upload(kId).ok());
}

TEST_P(BlobStoreSuite, CommitWithWrongFactsIsRefusedAndTheUploadStays) {
  auto upload = store_->create_upload(kId);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->append(sample(100)).ok());
  EXPECT_FALSE((*upload)->commit(facts_of(sample(99))).ok());
  auto no_leaves = facts_of(sample(100));
  no_leaves.leaves.clear();
  EXPECT_FALSE((*upload)->commit(no_leaves).ok());
  EXPECT_TRUE((*upload)->commit(facts_of(sample(100))).ok());
}

TEST_P(BlobStoreSuite, Sha512BlobsLiveBesideSha256Ones) {
  const Bytes bytes = sample(100);
  auto hasher = crypto::make_hasher(oci::DigestAlgorithm::sha512);
  hasher->update(bytes);
  auto facts = facts_of(bytes);
  facts.digest = oci::Digest::of(oci::DigestAlgorithm::sha512, hasher->finish());
  auto upload = store_->create_upload(kId);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->append(bytes).ok());
  ASSERT_TRUE((*upload)->commit(facts).ok());
  EXPECT_EQ(store_->size(facts.digest).value(), 100u);
  EXPECT_EQ(store_->size(facts_of(bytes).digest).error().code(), "blob_unknown");
}

TEST(FileBlobStore, RefusesARootThatOthersMayWriteTo) {
  test::TempDir dir;
  ::chmod(dir.path().c_str(), 0777);
  EXPECT_EQ(open_file_blob_store(dir.path()).error().code(), "store_open");
  ::chmod(dir.path().c_str(), 0700);
  EXPECT_TRUE(open_file_blob_store(dir.path()).ok());
}

TEST(FileBlobStore, RefusesARootThatIsASymbolicLink) {
  test::TempDir dir;
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_symlink(dir / "real", dir / "link");
  EXPECT_EQ(open_file_blob_store(dir / "link").error().code(), "store_open");
}

TEST(FileBlobStore, FollowsNoLinkPlantedWhereABlobShouldBe) {
  test::TempDir dir;
  auto store = open_file_blob_store(dir.path());
  ASSERT_TRUE(store.ok());
  std::ofstream(dir / "secret") << "secret";
  const auto digest = facts_of(sample(6)).digest;
  const auto bucket = dir.path() + "/blobs/sha256/" + digest.hex().substr(0, 2);
  std::filesystem::create_directories(bucket);
  ::chmod(bucket.c_str(), 0700);
  std::filesystem::create_symlink(dir / "secret", bucket + "/" + digest.hex());
  EXPECT_FALSE((*store)->open(digest).ok());
  EXPECT_FALSE((*store)->size(digest).ok());
  std::filesystem::create_symlink(dir / "secret", dir.path() + "/uploads/" + kId);
  EXPECT_FALSE((*store)->reopen_upload(kId).ok());
  EXPECT_FALSE((*store)->create_upload(kId).ok());
}

TEST(FileBlobStore, FilesArePrivate) {
  test::TempDir dir;
  auto store = open_file_blob_store(dir / "s");
  auto upload = (*store)->create_upload(kId);
  ASSERT_TRUE(upload.ok());
  struct stat st{};
  ASSERT_EQ(::stat((dir / ("s/uploads/" + kId)).c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777u, 0600u);
  ASSERT_EQ(::stat((dir / "s").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777u, 0700u);
}

TEST(FileBlobStore, DiskTakenAheadIsGivenBack) {
  constexpr std::size_t kStride = 8 * 1024 * 1024;
  for (const bool reopened : {false, true}) {
    test::TempDir dir;
    auto store = open_file_blob_store(dir.path());
    auto upload = (*store)->create_upload(kId);
    ASSERT_TRUE(upload.ok());
    const Bytes bytes = sample(kStride);
    ASSERT_TRUE((*upload)->append(bytes).ok());
    if (reopened) upload = (*store)->reopen_upload(kId);
    ASSERT_TRUE(upload.ok());
    const auto facts = facts_of(bytes);
    ASSERT_TRUE((*upload)->commit(facts).ok());
    const auto hex = facts.digest.hex();
    struct stat st{};
    ASSERT_EQ(::stat((dir / ("blobs/sha256/" + hex.substr(0, 2) + '/' + hex)).c_str(), &st), 0);
    EXPECT_EQ(static_cast<std::size_t>(st.st_size), kStride);
    EXPECT_LT(static_cast<std::size_t>(st.st_blocks) * 512, kStride + kStride / 2);
  }
}

TEST(FileBlobStore, LeavesOfACutCommitAreSweptAtOpening) {
  test::TempDir dir;
  ASSERT_TRUE(open_file_blob_store(dir.path()).ok());
  const auto stale = dir / ("uploads/" + kId + ".leaves");
  std::ofstream(stale) << "half";
  ASSERT_TRUE(open_file_blob_store(dir.path()).ok());
  EXPECT_FALSE(std::filesystem::exists(stale));
}

TEST(FileBlobStore, NotesWithoutTheirUploadAreSweptAtOpeningAndNotTakenForThoseOfAnother) {
  const test::TempDir dir;
  const auto notes = dir / ("uploads/" + kId + ".notes");
  auto store = std::move(open_file_blob_store(dir.path())).value();
  std::ofstream(notes) << "of an earlier one";
  auto upload = std::move(store->create_upload(kId)).value();
  Bytes out(8);
  EXPECT_EQ(upload->read_notes(0, out).value(), 0U);
  ASSERT_TRUE(upload->add_note(as_bytes("own")).ok());
  store = std::move(open_file_blob_store(dir.path())).value();
  EXPECT_EQ(std::move(store->reopen_upload(kId)).value()->read_notes(0, out).value(), 3U);
  std::filesystem::remove(dir / ("uploads/" + kId));
  store = std::move(open_file_blob_store(dir.path())).value();
  EXPECT_FALSE(std::filesystem::exists(notes));
}

TEST(FileBlobStore, CommitReplacesAStoredFileOfAnotherLength) {
  const test::TempDir dir;
  auto store = std::move(open_file_blob_store(dir.path())).value();
  const Bytes bytes = sample(40'000);
  const auto facts = facts_of(bytes);
  const auto hex = facts.digest.hex();
  const auto file = dir / ("blobs/sha256/" + hex.substr(0, 2) + '/' + hex);
  const auto put = [&] {
    auto upload = std::move(store->create_upload(kId)).value();
    return upload->append(bytes).ok() && upload->commit(facts).ok();
  };
  ASSERT_TRUE(put());
  for (const std::size_t size : {0U, 39'999U, 40'001U}) {
    std::filesystem::resize_file(file, size);
    ASSERT_TRUE(put());
    ASSERT_EQ(store->size(facts.digest).value(), bytes.size()) << size;
    Bytes out(bytes.size());
    ASSERT_TRUE(store->open(facts.digest).value()->read_at(0, out).ok());
    EXPECT_EQ(out, bytes);
    EXPECT_EQ(store->leaves(facts.digest).value(), facts.leaves);
    EXPECT_TRUE(store->list_uploads().value().empty());
  }
}

TEST(FileBlobStore, TruncatedLeavesAreNoticed) {
  test::TempDir dir;
  auto store = open_file_blob_store(dir.path());
  const Bytes bytes = sample(40'000);
  auto upload = (*store)->create_upload(kId);
  ASSERT_TRUE((*upload)->append(bytes).ok());
  const auto facts = facts_of(bytes);
  ASSERT_TRUE((*upload)->commit(facts).ok());
  std::filesystem::resize_file(dir.path() + "/blobs/sha256/" + facts.digest.hex().substr(0, 2) +
                                   "/" + facts.digest.hex() + ".leaves",
                               64);
  EXPECT_EQ((*store)->leaves(facts.digest).error().code(), "blob_leaves");
}

}  // namespace
}  // namespace convoy::storage
