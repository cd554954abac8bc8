#include "wire/bt/metadata.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "support/wire_bt_vectors.hpp"

namespace convoy::bt {
namespace {

constexpr std::uint64_t kKi = 1024;
constexpr std::uint64_t kMi = kKi * kKi;
constexpr std::uint64_t kGi = kKi * kMi;

BlobMeta meta(std::uint64_t size, std::uint32_t piece_length) {
  return {.digest = oci::Digest::sha256({}), .size = size, .piece_length = piece_length};
}

TEST(BlobMeta, CountsPiecesAndBlocks) {
  const auto m = meta(100'000, 32 * 1024);
  EXPECT_EQ(m.piece_count(), 4u);
  EXPECT_EQ(m.piece_size(0), 32u * 1024);
  EXPECT_EQ(m.piece_size(3), 100'000u - 3 * 32 * 1024);
  EXPECT_EQ(m.piece_size(4), 0u);
  EXPECT_EQ(m.piece_size(UINT32_MAX), 0u);
  EXPECT_EQ(m.blocks_in(0), 2u);
  EXPECT_EQ(m.blocks_in(3), 1u);
  EXPECT_EQ(m.blocks_in(4), 0u);
}

TEST(BlobMeta, AnExactMultipleHasNoShortPiece) {
  const auto m = meta(64 * kKi, 16 * 1024);
  EXPECT_EQ(m.piece_count(), 4u);
  EXPECT_EQ(m.piece_size(3), 16u * 1024);
  EXPECT_EQ(meta(64 * kKi + 1, 16 * 1024).piece_size(4), 1u);
}

TEST(PieceLength, IsThePowerOfTwoNearestToATwoThousandthAndInItsLimits) {
  EXPECT_EQ(choose_piece_length(1), kMinPieceLength);
  EXPECT_EQ(choose_piece_length(16 * kMi - 1), 16 * kKi);
  EXPECT_EQ(choose_piece_length(16 * kMi), 32 * kKi);
  EXPECT_EQ(choose_piece_length(96 * kMi - 1), 32 * kKi);
  EXPECT_EQ(choose_piece_length(96 * kMi), 64 * kKi);
  EXPECT_EQ(choose_piece_length(kGi), 512 * kKi);
  EXPECT_EQ(choose_piece_length(32 * kGi), kMaxPieceLength);
  EXPECT_EQ(choose_piece_length(UINT64_MAX), kMaxPieceLength);
}

TEST(PieceLength, GivesAtMost4096PiecesUpTo64GiB) {
  for (std::uint64_t size = kMi; size <= 64 * kGi; size += size / 7) {
    EXPECT_LE(meta(size, choose_piece_length(size)).piece_count(), 4096u) << size;
  }
  EXPECT_EQ(meta(64 * kGi, choose_piece_length(64 * kGi)).piece_count(), 4096u);
}

TEST(InfoDictionary, IsTheOneLibtorrentMakes) {
  for (const auto& v : test::kVectors) {
    const auto info = encode_info(test::meta_of(v), test::kPem);
    EXPECT_EQ(to_hex(crypto::sha256(info)), v.info_hash) << v.size;
  }
}

TEST(InfoDictionary, IsSpelledOutForOneByte) {
  const auto info = encode_info(test::meta_of(test::kVectors[0]), "PEM");
  const std::string name(test::kVectors[0].digest);
  const auto root = *from_hex(test::kVectors[0].root);
  EXPECT_EQ(as_text(info), "d9:file treed64:" + name +
                               "d0:d6:lengthi1e11:pieces root32:" + std::string(as_text(root)) +
                               "eee12:meta versioni2e4:name64:" + name +
                               "12:piece lengthi16384e7:privatei1e8:ssl-cert3:PEMe");
}

TEST(InfoDictionary, DependsOnTheClusterRoot) {
  const auto m = test::meta_of(test::kVectors[0]);
  EXPECT_NE(encode_info(m, "A"), encode_info(m, "B"));
}

TEST(InfoHash, IsShortenedToTwentyBytes) {
  InfoHash hash{};
  hash[0] = 0xab;
  hash[19] = 0x01;
  hash[20] = 0xff;
  EXPECT_EQ(short_hex(hash), "ab" + std::string(36, '0') + "01");
}

}  // namespace
}  // namespace convoy::bt
