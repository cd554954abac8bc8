#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/blob/cache_store.hpp"
#include "storage/blob/posix_file.hpp"
#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kBudget = 16 * kMiB;
constexpr std::uint64_t kSize = 48 * kMiB + 5;

/// Bytes of the open file's first `size` that lie in the page cache.
std::size_t resident(int fd, std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 0;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> in((size + page - 1) / page);
  if (::mincore(at, size, in.data()) != 0) in.clear();
  ::munmap(at, size);
  const auto there = [](unsigned char flags) { return (flags & 1U) != 0; };
  return static_cast<std::size_t>(std::count_if(in.begin(), in.end(), there)) * page;
}

class CachePagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = open_cache_store(dir_ / "cache", kBudget);
    ASSERT_TRUE(store.ok()) << store.error().text();
    store_ = std::move(*store);
    if (!gives_up()) GTEST_SKIP() << "this file system's pages do not leave";
  }

  /// A memory file system has nowhere to write them to.
  bool gives_up() {
    auto dir = open_root(dir_ / "probe");
    auto fd = open_file(dir->get(), "file", O_RDWR | O_CREAT, "probe");
    if (!write_all(fd->get(), 0, Bytes(kMiB)) || !sync_fd(fd->get())) return false;
    give_pages_up(fd->get(), 0, kMiB);
    return resident(fd->get(), kMiB) == 0;
  }

  std::shared_ptr<PieceFile> write_all_pieces(std::uint8_t seed) {
    Hash256 hash{};
    hash.fill(seed);
    auto file = store_->open_partial({.digest = oci::Digest::sha256(hash),
                                      .size = kSize,
                                      .piece_length = static_cast<std::uint32_t>(kMiB),
                                      .pieces_root = hash});
    EXPECT_TRUE(file.ok());
    for (std::uint64_t at = 0; at < kSize; at += kMiB) {
      const Bytes piece(std::min(kMiB, kSize - at), seed);
      EXPECT_TRUE((*file)->write_at(at, piece).ok());
    }
    return *file;
  }

  test::TempDir dir_;
  std::unique_ptr<CacheStore> store_;
};

TEST_F(CachePagesTest, ACompleteBlobHoldsNoMoreThanTheBudgetAndIsWhole) {
  const auto file = write_all_pieces(1);
  ASSERT_TRUE(store_->complete(*file).ok());
  EXPECT_LE(resident(file->fd(), kSize), kBudget);
  EXPECT_GE(resident(file->fd(), kSize), kBudget / 2) << "what came last stays";
  auto blob = store_->open_complete(file->meta().digest);
  ASSERT_TRUE(blob);
  Bytes all(kSize);
  ASSERT_TRUE((*blob)->read_at(0, all).ok());
  EXPECT_TRUE(all == Bytes(kSize, 1));
}

TEST_F(CachePagesTest, BlobsShareTheBudget) {
  const auto first = write_all_pieces(1);
  ASSERT_TRUE(store_->complete(*first).ok());
  const auto second = write_all_pieces(2);
  ASSERT_TRUE(store_->complete(*second).ok());
  EXPECT_LE(resident(first->fd(), kSize) + resident(second->fd(), kSize), kBudget);
}

TEST_F(CachePagesTest, WhatIsReadFromTheDiskCountsToo) {
  const auto file = write_all_pieces(1);
  ASSERT_TRUE(store_->complete(*file).ok());
  auto blob = store_->open_complete(file->meta().digest);
  ASSERT_TRUE(blob);
  Bytes part(kMiB);
  for (std::uint64_t at = 0; at + kMiB <= kSize; at += kMiB) {
    ASSERT_TRUE((*blob)->read_at(at, part).ok());
  }
  // The kernel reads ahead of what is asked for.
  EXPECT_LE(resident((*blob)->fd(), kSize), kBudget + 8 * kMiB);
}

TEST_F(CachePagesTest, WhatHasLeftIsNotReadAsIfItWereThere) {
  const auto file = write_all_pieces(1);
  const oci::Digest& digest = file->meta().digest;
  std::uint64_t at = 0;
  while (at < kSize && store_->in_memory(digest, at, kMiB)) at += kMiB;
  Bytes part(kMiB);
  EXPECT_FALSE(file->read_now(at, part));
  ASSERT_TRUE(read_exact(file->fd(), at, part).ok());
  EXPECT_FALSE(file->read_now(at, part)) << "it is there again, but nobody counted it";
  ASSERT_TRUE(file->read_at(at, part).ok());
  EXPECT_TRUE(file->read_now(at, part));
  EXPECT_TRUE(store_->in_memory(digest, at, kMiB));
}

TEST_F(CachePagesTest, ABlobThatIsGoneIsNoTrouble) {
  const auto file = write_all_pieces(1);
  ASSERT_TRUE(store_->drop(file->meta().digest).ok());
  const auto second = write_all_pieces(2);
  EXPECT_TRUE(store_->complete(*second).ok());
}

}  // namespace
}  // namespace convoy::storage
