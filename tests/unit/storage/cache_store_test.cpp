#include "storage/blob/cache_store.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include "storage/blob/posix_file.hpp"
#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

bt::BlobMeta meta_of(std::uint64_t size, std::uint8_t seed = 1) {
  Hash256 hash{};
  hash.fill(seed);
  return {.digest = oci::Digest::sha256(hash),
          .size = size,
          .piece_length = 16384,
          .pieces_root = hash};
}

constexpr std::uint64_t kPageCache = 16ULL << 20;

class CacheStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<CacheStore> open() {
    auto store = open_cache_store(dir_ / "cache", kPageCache);
    EXPECT_TRUE(store.ok()) << store.error().text();
    return std::move(*store);
  }
  test::TempDir dir_;
};

TEST_F(CacheStoreTest, ClaimsOfAPartialBlobSurviveTheStore) {
  const auto meta = meta_of(100'000);
  {
    auto store = open();
    auto file = store->open_partial(meta).value();
    ASSERT_TRUE(file->write_at(16384 * 2, Bytes(16384, 7)).ok());
    ASSERT_TRUE(file->mark_piece(2).ok());
    ASSERT_TRUE(file->mark_piece(6).ok());
    ASSERT_TRUE(file->mark_piece(3).ok());
    ASSERT_TRUE(file->clear_piece(3).ok());
  }
  auto store = open();
  auto file = store->open_partial(meta).value();
  EXPECT_EQ(file->pieces(), (std::vector<bool>{false, false, true, false, false, false, true}));
  Bytes out(16384);
  ASSERT_TRUE(file->read_at(16384 * 2, out).ok());
  EXPECT_EQ(out, Bytes(16384, 7));
}

TEST_F(CacheStoreTest, WhatLiesInMemoryIsReadWithoutWaiting) {
  auto store = open();
  auto file = store->open_partial(meta_of(100'000)).value();
  ASSERT_TRUE(file->write_at(0, Bytes(40'000, 7)).ok());
  Bytes out(30'000);
  // A file system that cannot tell sends its readers to read_at().
  if (!read_cached(file->fd(), 5'000, out)) GTEST_SKIP() << "no RWF_NOWAIT here";
  EXPECT_EQ(out, Bytes(30'000, 7));
  EXPECT_TRUE(file->read_now(5'000, out));
  Bytes beyond(16);
  EXPECT_FALSE(read_cached(file->fd(), 1'000'000, beyond));
  EXPECT_FALSE(read_cached(-1, 0, beyond));
}

TEST_F(CacheStoreTest, OtherMetadataStartsAfresh) {
  auto store = open();
  ASSERT_TRUE(store->open_partial(meta_of(100'000)).value()->mark_piece(0).ok());
  auto other = meta_of(100'000);
  other.pieces_root.fill(9);
  const auto pieces = store->open_partial(other).value()->pieces();
  EXPECT_EQ(std::count(pieces.begin(), pieces.end(), true), 0);
}

TEST_F(CacheStoreTest, WithoutARootAPartialBlobAndItsClaimsStay) {
  const auto meta = meta_of(100'000);
  auto rootless = meta;
  rootless.pieces_root = {};
  auto store = open();
  {
    auto file = store->open_partial(meta).value();
    ASSERT_TRUE(file->write_at(16384 * 2, Bytes(16384, 7)).ok());
    ASSERT_TRUE(file->mark_piece(2).ok());
  }
  EXPECT_EQ(store->open_partial(rootless).value()->meta(), rootless);
  {
    auto file = store->open_partial(meta).value();
    EXPECT_EQ(file->pieces(), (std::vector<bool>{false, false, true, false, false, false, false}));
    Bytes out(16384);
    ASSERT_TRUE(file->read_at(16384 * 2, out).ok());
    EXPECT_EQ(out, Bytes(16384, 7));
  }
  ASSERT_TRUE(store->complete(*store->open_partial(rootless).value()).ok());
  EXPECT_EQ(store->complete_meta(meta.digest), rootless) << "nobody compared it with that root";
}

TEST_F(CacheStoreTest, WithoutARootAnotherSizeOrPieceLengthStartsAfresh) {
  auto store = open();
  for (const bool size : {true, false}) {
    ASSERT_TRUE(store->open_partial(meta_of(100'000)).value()->mark_piece(0).ok());
    auto other = meta_of(size ? 100'001 : 100'000);
    if (!size) other.piece_length = 32768;
    other.pieces_root = {};
    const auto pieces = store->open_partial(other).value()->pieces();
    EXPECT_EQ(std::count(pieces.begin(), pieces.end(), true), 0) << size;
  }
}

TEST_F(CacheStoreTest, OneFileForAllWhoHoldIt) {
  auto store = open();
  auto a = store->open_partial(meta_of(50'000)).value();
  auto b = store->open_partial(meta_of(50'000)).value();
  EXPECT_EQ(a.get(), b.get());
  auto other = meta_of(50'000);
  other.pieces_root.fill(9);
  EXPECT_EQ(store->open_partial(other).error().code(), "store_open");
}

TEST_F(CacheStoreTest, CompleteBlobIsThereAfterARestart) {
  const auto meta = meta_of(20'000);
  const Bytes bytes(20'000, 3);
  {
    auto store = open();
    EXPECT_FALSE(store->open_complete(meta.digest));
    auto file = store->open_partial(meta).value();
    ASSERT_TRUE(file->write_at(0, bytes).ok());
    ASSERT_TRUE(store->complete(*file).ok());
    Bytes still(10);
    EXPECT_TRUE(file->read_at(0, still).ok());
  }
  auto store = open();
  EXPECT_EQ(store->complete_meta(meta.digest), meta);
  auto reader = store->open_complete(meta.digest);
  ASSERT_TRUE(reader);
  Bytes out(20'000);
  ASSERT_TRUE((*reader)->read_at(0, out).ok());
  EXPECT_EQ(out, bytes);
  auto list = store->list();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0].complete);
  EXPECT_EQ(list[0].bytes, 20'000u);
  EXPECT_GT(list[0].last_used, 1'600'000'000);
}

TEST_F(CacheStoreTest, RegistriesThatDeliveredABlobSurviveTheStore) {
  const auto meta = meta_of(20'000);
  const auto host = [](int i) {
    return oci::RegistryHost::parse("r" + std::to_string(i) + ".test:5000").value();
  };
  {
    auto store = open();
    auto file = store->open_partial(meta).value();
    ASSERT_TRUE(store->add_source(meta.digest, host(1)).ok());
    EXPECT_FALSE(store->has_source(meta.digest, host(1))) << "of a partial one";
    ASSERT_TRUE(store->complete(*file).ok());
    EXPECT_FALSE(store->has_source(meta.digest, host(1)));
    for (int i = 1; i <= 16; ++i) ASSERT_TRUE(store->add_source(meta.digest, host(i)).ok());
    ASSERT_TRUE(store->add_source(meta.digest, host(16)).ok());
  }
  {
    auto store = open();
    for (int i = 1; i <= 16; ++i) EXPECT_TRUE(store->has_source(meta.digest, host(i))) << i;
    ASSERT_TRUE(store->add_source(meta.digest, host(17)).ok());
  }
  auto store = open();
  EXPECT_EQ(store->complete_meta(meta.digest), meta);
  EXPECT_FALSE(store->has_source(meta.digest, host(1))) << "the oldest gives way";
  for (int i = 2; i <= 17; ++i) EXPECT_TRUE(store->has_source(meta.digest, host(i))) << i;
  ASSERT_TRUE(store->drop(meta.digest).ok());
  EXPECT_FALSE(store->has_source(meta.digest, host(2)));
}

TEST_F(CacheStoreTest, SixteenOfTheLongestNamesAreKept) {
  const auto meta = meta_of(20'000);
  const auto host = [](char c) {
    const std::string label = std::string(1, c) + std::string(58, 'x');
    std::string text = label;
    while (text.size() + label.size() + 1 + 6 <= 255) text += '.' + label;
    return oci::RegistryHost::parse(text + ":65535").value();
  };
  auto store = open();
  ASSERT_TRUE(store->complete(*store->open_partial(meta).value()).ok());
  for (char c = 'a'; c < 'a' + 16; ++c) ASSERT_TRUE(store->add_source(meta.digest, host(c)).ok());
  for (char c = 'a'; c < 'a' + 16; ++c) EXPECT_TRUE(store->has_source(meta.digest, host(c))) << c;
}

TEST_F(CacheStoreTest, DropTakesEverything) {
  auto store = open();
  auto complete = store->open_partial(meta_of(20'000, 1)).value();
  ASSERT_TRUE(store->complete(*complete).ok());
  auto partial = store->open_partial(meta_of(20'000, 2)).value();
  ASSERT_TRUE(store->drop(meta_of(0, 1).digest).ok());
  ASSERT_TRUE(store->drop(meta_of(0, 2).digest).ok());
  EXPECT_TRUE(store->list().empty());
  EXPECT_FALSE(store->open_complete(meta_of(0, 1).digest));
  EXPECT_FALSE(store->complete_meta(meta_of(0, 1).digest));
}

TEST_F(CacheStoreTest, OutsideRangesAndPiecesAreRefused) {
  auto store = open();
  auto file = store->open_partial(meta_of(16385)).value();
  EXPECT_TRUE(file->write_at(16384, Bytes(1)).ok());
  EXPECT_FALSE(file->write_at(16384, Bytes(2)).ok());
  Bytes two(2);
  EXPECT_FALSE(file->read_at(16384, two).ok());
  EXPECT_TRUE(file->mark_piece(1).ok());
  EXPECT_FALSE(file->mark_piece(2).ok());
}

TEST_F(CacheStoreTest, SecondProcessIsKeptOut) {
  auto store = open();
  EXPECT_EQ(open_cache_store(dir_ / "cache", kPageCache).error().code(), "store_open");
  store.reset();
  EXPECT_TRUE(open_cache_store(dir_ / "cache", kPageCache).ok());
}

TEST_F(CacheStoreTest, DamagedMetadataCostsThePartialBlob) {
  const auto meta = meta_of(50'000);
  {
    auto store = open();
    ASSERT_TRUE(store->open_partial(meta).value()->mark_piece(1).ok());
  }
  std::ofstream(dir_ / ("cache/partial/" + meta.digest.hex() + ".meta"))
      << "convoy-cache 1 sha256:";
  auto store = open();
  EXPECT_TRUE(store->list().empty());
  const auto pieces = store->open_partial(meta).value()->pieces();
  EXPECT_EQ(std::count(pieces.begin(), pieces.end(), true), 0);
}

TEST_F(CacheStoreTest, BlobWithoutSizeIsRefused) {
  auto store = open();
  EXPECT_FALSE(store->open_partial(meta_of(0)).ok());
}

}  // namespace
}  // namespace convoy::storage
