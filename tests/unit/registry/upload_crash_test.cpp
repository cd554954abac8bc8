#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <random>

#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "registry/core/upload_service.hpp"
#include "support/manual_clock.hpp"
#include "support/net_loop.hpp"
#include "support/storage_crash.hpp"
#include "support/storage_dir.hpp"

// An upload over a disk that loses what was not synced. After a crash behind any operation its
// notes may tell of no byte that the file does not hold. CONVOY_CRASH_SEED sets what happens.
namespace convoy::registry {
namespace {

namespace fs = std::filesystem;
using test::Lost;

constexpr std::size_t kBlock = crypto::MerkleLeaves::kBlock;

std::uint64_t seed_from_environment() {
  const char* text = std::getenv("CONVOY_CRASH_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A registry's uploads in a directory, of which one is known to its metadata.
class Uploads {
 public:
  Uploads(test::Loop& loop, const std::string& path, storage::Disk& disk = storage::system_disk())
      : loop_(loop), path_(path) {
    blobs_ = storage::open_file_blob_store(path, disk).value();
    EXPECT_TRUE(meta_->put_upload({id(), repo_, "ann", clock_.wall()}).ok());
    const UploadLimits limits{.note_step = 3 * kBlock};
    service_.emplace(*blobs_, *meta_, gate_, quota_, pool_, clock_, random_, limits);
  }

  static std::string id() { return std::string(32, 'a'); }
  void create() { ASSERT_TRUE(blobs_->create_upload(id()).ok()); }
  bool recover() {
    EXPECT_TRUE(service_->recover().ok());
    return service_->size() == 1;
  }
  std::string file() const { return contents(path_ + "/uploads/" + id()); }
  std::size_t notes() const { return contents(path_ + "/uploads/" + id() + ".notes").size(); }
  void append(std::string bytes) { loop_.run(append_all(std::move(bytes))); }
  Result<std::uint64_t> finish_now(oci::Digest digest) { return loop_.run(finish(digest)); }

  void finish_and_check() {
    const std::string whole = file();
    const auto digest = oci::Digest::sha256(crypto::sha256(as_bytes(whole)));
    auto finished = finish_now(digest);
    ASSERT_TRUE(finished.ok()) << finished.error().text();
    EXPECT_EQ(*finished, whole.size());
    EXPECT_EQ(blobs_->leaves(digest).value(), crypto::merkle_leaves(as_bytes(whole)));
    EXPECT_EQ(contents(path_ + "/blobs/sha256/" + digest.hex().substr(0, 2) + "/" + digest.hex()),
              whole);
    EXPECT_TRUE(fs::is_empty(path_ + "/uploads"));
  }

 private:
  net::Task<void> append_all(std::string bytes) {
    auto hold = co_await service_->find(repo_, "ann", id());
    EXPECT_TRUE(hold.ok());
    std::size_t at = 0;
    BodyReader reader = [&](MutableByteView out) -> net::Task<Result<std::size_t>> {
      const std::size_t n = std::min(out.size(), bytes.size() - at);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, out.begin());
      at += n;
      co_return n;
    };
    Status done = co_await service_->append(hold->upload(), std::move(reader), bytes.size());
    EXPECT_TRUE(done.ok());
  }
  net::Task<Result<std::uint64_t>> finish(oci::Digest digest) {
    auto hold = co_await service_->find(repo_, "ann", id());
    if (!hold) co_return std::move(hold).error();
    co_return co_await service_->finish(hold->upload(), digest);
  }

  test::Loop& loop_;
  std::string path_;
  test::TempDir meta_dir_;
  test::ManualClock clock_;
  SystemRandom random_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<storage::RegistryMeta> meta_ =
      storage::open_registry_meta(meta_dir_ / "meta.db", &clock_).value();
  DigestGate gate_;
  ProjectBook projects_{{}};
  QuotaService quota_{meta_->upkeep(), projects_};
  net::WorkerPool pool_{1};
  std::optional<UploadService> service_;
  const oci::RepoName repo_ = oci::RepoName::parse("team/app").value();
};

class UploadCrash : public ::testing::Test {
 protected:
  UploadCrash() {
    fs::create_directory(dir_ / "data");
    fs::permissions(dir_ / "data", fs::perms::owner_all);
    log_.emplace(dir_ / "data");
    test::LoggedDisk disk(*log_);
    Uploads uploads(loop_, dir_ / "data", disk);
    uploads.create();
    begin_ = log_->size();
    EXPECT_TRUE(uploads.recover());
    for (int i = 0; i < 14; ++i) uploads.append(some_bytes());
    EXPECT_GT(uploads.notes(), 0U);
    end_ = log_->size();
  }

  std::string some_bytes() {
    std::string bytes(random_() % (2 * kBlock), '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }

  /// The tree after a crash, and what the registry makes of it.
  void check_crash(const test::DiskLog& log, std::size_t length, Lost lost) {
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", operation " + std::to_string(length) +
                 ", lost " + std::to_string(static_cast<int>(lost)));
    const std::string path = dir_ / ("crash-" + std::to_string(crashes_++));
    log.materialise(length, lost, seed_ + length, path);
    {
      Uploads uploads(loop_, path);
      if (uploads.recover()) {
        uploads.append("and more");
        uploads.finish_and_check();
        ++went_on_;
      }
      EXPECT_TRUE(fs::is_empty(path + "/uploads"));
    }
    fs::remove_all(path);
  }

  const std::uint64_t seed_ = seed_from_environment();
  std::mt19937_64 random_{seed_};
  test::Loop loop_;
  test::TempDir dir_;
  std::optional<test::DiskLog> log_;
  std::size_t begin_ = 0, end_ = 0;
  int crashes_ = 0, went_on_ = 0;
};

TEST_F(UploadCrash, LeavesNoNoteThatLies) {
  for (std::size_t length = begin_; length <= end_; ++length) {
    for (const auto lost : {Lost::nothing, Lost::some, Lost::everything}) {
      check_crash(*log_, length, lost);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(went_on_, crashes_ / 3);
}

TEST_F(UploadCrash, OfTheProcessAndThenOfTheMachineLeavesNoNoteThatLies) {
  for (std::size_t length = begin_ + 1; length <= end_; length += 3) {
    const std::string path = dir_ / ("killed-" + std::to_string(length));
    log_->materialise(length, Lost::nothing, 0, path);
    test::DiskLog log(*log_, length, path);
    {
      test::LoggedDisk disk(log);
      Uploads uploads(loop_, path, disk);
      ASSERT_TRUE(uploads.recover());
      for (int i = 0; i < 4; ++i) uploads.append(some_bytes());
    }
    for (const auto lost : {Lost::some, Lost::everything}) {
      check_crash(log, length + random_() % (log.size() - length + 1), lost);
      check_crash(log, log.size(), lost);
    }
    fs::remove_all(path);
    if (HasFailure()) return;
  }
}

/// Damage behind the registry's back shows what it reads again and what it does not.
class UploadRestart : public ::testing::Test {
 protected:
  UploadRestart() {
    fs::create_directory(dir_ / "data");
    fs::permissions(dir_ / "data", fs::perms::owner_all);
    Uploads uploads(loop_, path_);
    uploads.create();
    EXPECT_TRUE(uploads.recover());
    uploads.append(std::string(4 * kBlock, 'x'));
    EXPECT_GT(uploads.notes(), 0U);
  }
  void flip(const std::string& file, std::size_t at) {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(static_cast<std::streamoff>(at));
    f.put('!');
  }
  Result<std::uint64_t> finish_as_sent() {
    Uploads uploads(loop_, path_);
    EXPECT_TRUE(uploads.recover());
    return uploads.finish_now(
        oci::Digest::sha256(crypto::sha256(as_bytes(std::string(4 * kBlock, 'x')))));
  }

  test::Loop loop_;
  test::TempDir dir_;
  const std::string path_ = dir_ / "data";
  const std::string file_ = path_ + "/uploads/" + Uploads::id();
};

TEST_F(UploadRestart, DoesNotReadAgainWhatWasNoted) {
  flip(file_, 100);
  EXPECT_TRUE(finish_as_sent().ok());
}

TEST_F(UploadRestart, ReadsEverythingAgainWhenANoteIsDamaged) {
  flip(file_ + ".notes", 50);
  EXPECT_TRUE(finish_as_sent().ok());
}

TEST_F(UploadRestart, FindsDamageWhenANoteIsDamaged) {
  flip(file_, 100);
  flip(file_ + ".notes", 50);
  EXPECT_EQ(finish_as_sent().error().code(), "digest_mismatch");
}

TEST_F(UploadRestart, ReadsWhatCameBehindTheLastNote) {
  {
    Uploads uploads(loop_, path_);
    ASSERT_TRUE(uploads.recover());
    uploads.append("more");
  }
  flip(file_, 4 * kBlock + 1);
  Uploads uploads(loop_, path_);
  ASSERT_TRUE(uploads.recover());
  uploads.finish_and_check();
}

TEST_F(UploadRestart, ReadsEverythingAgainForTheOtherAlgorithm) {
  Uploads uploads(loop_, path_);
  ASSERT_TRUE(uploads.recover());
  const auto hasher = crypto::make_hasher(oci::DigestAlgorithm::sha512);
  hasher->update(as_bytes(uploads.file()));
  const auto digest = oci::Digest::of(oci::DigestAlgorithm::sha512, hasher->finish());
  EXPECT_TRUE(uploads.finish_now(digest).ok());
}

}  // namespace
}  // namespace convoy::registry
