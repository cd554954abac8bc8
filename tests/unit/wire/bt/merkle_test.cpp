#include "wire/bt/merkle.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "support/wire_bt_vectors.hpp"

namespace convoy::bt {
namespace {

constexpr HashPair kPair = crypto::sha256_pair;

TEST(Merkle, RootsAndPieceLayersAreThoseOfLibtorrent) {
  for (const auto& v : test::kVectors) {
    const auto leaves = test::leaves_of(test::content(v.size));
    const auto meta = test::meta_of(v);
    EXPECT_EQ(to_hex(root_of_leaves(leaves, kPair)), v.root) << v.size;
    const auto layer = piece_layer(leaves, meta, kPair);
    ASSERT_EQ(layer.size(), v.pieces) << v.size;
    EXPECT_EQ(to_hex(layer.front()), v.first_piece) << v.size;
    EXPECT_EQ(to_hex(layer.back()), v.last_piece) << v.size;
    EXPECT_TRUE(layer_matches(layer, meta, kPair)) << v.size;
  }
}

TEST(Merkle, TheTwoWaysToTheRootAgreeForEveryShape) {
  const auto all = test::leaves_of(test::content(40 * kBlockSize));
  for (std::size_t blocks = 1; blocks <= all.size(); ++blocks) {
    for (std::uint32_t piece_length : {16u * 1024, 32u * 1024, 128u * 1024, 1024u * 1024}) {
      const std::vector<Hash256> leaves(all.begin(), all.begin() + static_cast<long>(blocks));
      const BlobMeta meta{.digest = oci::Digest::sha256({}),
                          .size = blocks * kBlockSize,
                          .piece_length = piece_length,
                          .pieces_root = root_of_leaves(leaves, kPair)};
      EXPECT_TRUE(layer_matches(piece_layer(leaves, meta, kPair), meta, kPair))
          << blocks << " blocks, pieces of " << piece_length;
    }
  }
}

TEST(Merkle, EveryRowLeadsToTheRootWithItsUncles) {
  const auto all = test::leaves_of(test::content(15 * kBlockSize));
  const Hash256 root = root_of_leaves(all, kPair);
  std::vector<Hash256> padded(all);
  padded.resize(16);
  for (std::uint64_t length = 1; length <= 16; length *= 2) {
    for (std::uint64_t index = 0; index < 16; index += length) {
      const auto proof = uncles(all, 16, index, length, Hash256{}, kPair);
      const auto row = std::span(padded).subspan(index, length);
      EXPECT_EQ(root_above(row, index, proof, kPair), root) << length << " at " << index;
      if (length == 16) continue;
      const std::uint64_t elsewhere = index ^ length;
      EXPECT_NE(root_above(row, elsewhere, proof, kPair), root) << length << " at " << index;
    }
  }
}

TEST(Merkle, ALayerThatIsNotTheSignedOneIsRefused) {
  const auto& v = test::kVectors[6];
  const auto meta = test::meta_of(v);
  const auto layer = piece_layer(test::leaves_of(test::content(v.size)), meta, kPair);
  for (std::size_t i = 0; i < layer.size(); ++i) {
    auto forged = layer;
    forged[i][31] ^= 1;
    EXPECT_FALSE(layer_matches(forged, meta, kPair));
  }
  auto longer = layer;
  longer.push_back(pad_hash(2, kPair));  // the padding itself: same root, one piece too many
  EXPECT_FALSE(layer_matches(longer, meta, kPair));
  auto shorter = layer;
  shorter.pop_back();
  EXPECT_FALSE(layer_matches(shorter, meta, kPair));
  EXPECT_FALSE(layer_matches({}, meta, kPair));
  auto swapped = layer;
  std::swap(swapped[0], swapped[1]);
  EXPECT_FALSE(layer_matches(swapped, meta, kPair));
}

TEST(Merkle, MoreLeavesThanAPieceHasNeverMatch) {
  const auto& v = test::kVectors[6];
  const auto meta = test::meta_of(v);
  const auto leaves = test::leaves_of(test::content(v.size));
  const auto layer = piece_layer(leaves, meta, kPair);
  EXPECT_EQ(piece_hash(std::span(leaves).first(4), meta, kPair), layer[0]);
  EXPECT_NE(piece_hash(std::span(leaves).first(5), meta, kPair), layer[0]);
  EXPECT_NE(piece_hash(std::span(leaves).first(3), meta, kPair), layer[0]);
  EXPECT_NE(piece_hash({}, meta, kPair), layer[0]);
}

TEST(Merkle, PadHashIsTheHashOfZeroLeaves) {
  EXPECT_EQ(pad_hash(0, kPair), Hash256{});
  EXPECT_EQ(pad_hash(1, kPair), crypto::sha256_pair({}, {}));
  const std::vector<Hash256> zeros(8);
  EXPECT_EQ(merkle_root(zeros, 8, {}, kPair), pad_hash(3, kPair));
  EXPECT_EQ(merkle_root({}, 8, {}, kPair), pad_hash(3, kPair));
}

TEST(Merkle, CountsBlocks) {
  EXPECT_EQ(block_count(0), 0u);
  EXPECT_EQ(block_count(1), 1u);
  EXPECT_EQ(block_count(kBlockSize), 1u);
  EXPECT_EQ(block_count(kBlockSize + 1), 2u);
  EXPECT_EQ(block_count(UINT64_MAX), UINT64_MAX / kBlockSize + 1);
  EXPECT_EQ(round_up_pow2(1), 1u);
  EXPECT_EQ(round_up_pow2(5), 8u);
  EXPECT_EQ(round_up_pow2(8), 8u);
}

}  // namespace
}  // namespace convoy::bt
