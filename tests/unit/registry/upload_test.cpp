#include <algorithm>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "registry/core/upload_service.hpp"
#include "support/failing_disk.hpp"
#include "support/manual_clock.hpp"
#include "support/net_loop.hpp"
#include "support/storage_dir.hpp"

namespace convoy::registry {
namespace {

class UploadTest : public ::testing::Test {
 protected:
  void restart(UploadLimits limits = {}) {
    uploads_.emplace(*blobs_, *meta_, gate_, quota_, pool_, clock_, random_, limits);
    ASSERT_TRUE(uploads_->recover().ok());
  }

  /// Begins an upload and gives it the bytes; returns its id.
  net::Task<std::string> send(std::string bytes) {
    auto hold = co_await uploads_->begin(repo_, "ann", oci::DigestAlgorithm::sha256);
    const std::string id = hold->upload()->id();
    co_await append(hold->upload(), std::move(bytes));
    co_return id;
  }
  net::Task<void> append(std::shared_ptr<Upload> upload, std::string bytes) {
    const std::optional<std::uint64_t> expected = bytes.size();
    Status done = co_await try_append(std::move(upload), std::move(bytes), expected);
    EXPECT_TRUE(done.ok());
  }
  net::Task<Status> try_append(std::shared_ptr<Upload> upload, std::string bytes,
                               std::optional<std::uint64_t> expected) {
    std::size_t sent = 0;
    BodyReader reader = [&](MutableByteView out) -> net::Task<Result<std::size_t>> {
      const std::string_view part = std::string_view(bytes).substr(sent, out.size());
      std::copy(part.begin(), part.end(), out.begin());
      sent += part.size();
      co_return part.size();
    };
    co_return co_await uploads_->append(std::move(upload), std::move(reader), expected);
  }
  net::Task<Result<std::uint64_t>> finish(std::string id, oci::Digest digest) {
    auto hold = co_await uploads_->find(repo_, "ann", std::move(id));
    if (!hold) co_return std::move(hold).error();
    co_return co_await uploads_->finish(hold->upload(), digest);
  }
  net::Task<void> go_on(std::string id, std::string bytes) {
    auto hold = co_await uploads_->find(repo_, "ann", std::move(id));
    EXPECT_TRUE(hold.ok());
    co_await append(hold->upload(), std::move(bytes));
  }
  net::Task<Status> try_go_on(std::string id, std::string bytes,
                              std::optional<std::uint64_t> expected) {
    auto hold = co_await uploads_->find(repo_, "ann", std::move(id));
    EXPECT_TRUE(hold.ok());
    co_return co_await try_append(hold->upload(), std::move(bytes), expected);
  }
  /// Begins as many before the first has its file; returns how many there were let in.
  std::size_t begin_at_once(std::size_t count) {
    std::vector<bool> begun;
    test::Tasks tasks(loop_);
    for (std::size_t i = 0; i < count; ++i) {
      tasks->spawn([&]() -> net::Task<void> {
        auto hold = co_await uploads_->begin(repo_, "ann", oci::DigestAlgorithm::sha256);
        begun.push_back(hold.ok());
        if (hold.ok()) co_return;
        EXPECT_EQ(hold.error().code(), "too_many_uploads");
      });
    }
    auto all = [&]() -> net::Task<void> {
      while (begun.size() < count) {
        static_cast<void>(co_await net::sleep_for(std::chrono::milliseconds(1)));
      }
    };
    loop_.run(all());
    return static_cast<std::size_t>(std::count(begun.begin(), begun.end(), true));
  }
  static oci::Digest digest_of(std::string_view bytes) {
    return oci::Digest::sha256(crypto::sha256(as_bytes(bytes)));
  }

  test::Loop loop_;
  test::TempDir dir_;
  test::ManualClock clock_;
  SystemRandom random_;
  test::FailingDisk disk_;
  std::unique_ptr<storage::BlobStore> blobs_ =
      storage::open_file_blob_store(dir_ / "store", disk_).value();
  std::unique_ptr<storage::RegistryMeta> meta_ =
      storage::open_registry_meta(dir_ / "meta.db", &clock_).value();
  DigestGate gate_;
  ProjectBook projects_{{{"team", 10'000'000, {}, {}}}};
  QuotaService quota_{meta_->upkeep(), projects_};
  net::WorkerPool pool_{1};
  std::optional<UploadService> uploads_;
  const oci::RepoName repo_ = oci::RepoName::parse("team/app").value();
};

TEST_F(UploadTest, EndsWhenItsBytesCouldNotBeSyncedAndMayBeSentAnew) {
  restart();
  const std::string bytes = "bytes";
  const std::string id = loop_.run(send(bytes));
  disk_.fail_next_sync = true;
  EXPECT_EQ(loop_.run(finish(id, digest_of(bytes))).error().code(), "blob_write");
  // Tried again, the same sync would succeed without having written anything.
  EXPECT_EQ(loop_.run(finish(id, digest_of(bytes))).error().code(), "blob_upload_unknown");
  EXPECT_TRUE(meta_->uploads().value().empty());
  EXPECT_TRUE(blobs_->list_uploads().value().empty());
  EXPECT_FALSE(meta_->has_blob(repo_, digest_of(bytes)).value());

  const std::string again = loop_.run(send(bytes));
  EXPECT_EQ(loop_.run(finish(again, digest_of(bytes))).value(), bytes.size());
  EXPECT_TRUE(meta_->has_blob(repo_, digest_of(bytes)).value());
}

TEST_F(UploadTest, GoesOnAfterARestartInTheMiddleOfIt) {
  restart();
  const std::string id = loop_.run(send("first and "));
  restart();
  loop_.run(go_on(id, "second and "));
  restart();
  loop_.run(go_on(id, "third"));
  const std::string whole = "first and second and third";
  EXPECT_EQ(loop_.run(finish(id, digest_of(whole))).value(), whole.size());
  EXPECT_EQ(blobs_->leaves(digest_of(whole)).value().at(0), crypto::sha256(as_bytes(whole)));
}

TEST_F(UploadTest, FailedWriteLeavesSetAsideWhatTheUploadHas) {
  restart();
  const std::string id = loop_.run(send("first "));
  disk_.full = true;
  EXPECT_EQ(loop_.run(try_go_on(id, "second", 9'000'000)).error().code(), "disk_full");
  EXPECT_EQ(quota_.reserved("team"), 6U);
  disk_.full = false;
  loop_.run(go_on(id, "second"));
  EXPECT_EQ(quota_.reserved("team"), 12U);
  EXPECT_EQ(loop_.run(finish(id, digest_of("first second"))).value(), 12U);
  EXPECT_EQ(quota_.reserved("team"), 0U);
}

TEST_F(UploadTest, BodyThatGrowsTooLargeLeavesSetAsideWhatTheUploadHas) {
  constexpr std::size_t kStep = 256 * 1024;
  restart({.blob_bytes = kStep + 1});
  const std::string id = loop_.run(send(""));
  const auto done = loop_.run(try_go_on(id, std::string(kStep + 2, 'x'), std::nullopt));
  EXPECT_EQ(done.error().code(), "blob_too_large");
  EXPECT_EQ(quota_.reserved("team"), kStep);
}

TEST_F(UploadTest, OneUserHasNoMoreUploadsThanAllowedHoweverManyBeginAtOnce) {
  restart({.per_user = 2});
  EXPECT_EQ(begin_at_once(5), 2U);
  EXPECT_EQ(blobs_->list_uploads().value().size(), 2U);
  // Idle for long, they make room: for as many as they are.
  clock_.advance(std::chrono::minutes(11));
  EXPECT_EQ(begin_at_once(5), 2U);
  EXPECT_EQ(uploads_->size(), 2U);
  EXPECT_EQ(blobs_->list_uploads().value().size(), 2U);
}

TEST_F(UploadTest, OneThatCouldNotBeNotedLeavesNothing) {
  // Its id is taken among the records, not among the files.
  const std::string id = SeededRandom(7).hex(16);
  ASSERT_TRUE(meta_->put_upload({id, repo_, "ann", clock_.wall()}).ok());
  SeededRandom same(7);
  uploads_.emplace(*blobs_, *meta_, gate_, quota_, pool_, clock_, same, UploadLimits{});
  auto begun = loop_.run(uploads_->begin(repo_, "ann", oci::DigestAlgorithm::sha256));
  EXPECT_FALSE(begun.ok());
  EXPECT_EQ(uploads_->size(), 0U);
  EXPECT_TRUE(blobs_->list_uploads().value().empty());
}

}  // namespace
}  // namespace convoy::registry
