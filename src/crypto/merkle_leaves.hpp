#pragma once

#include <vector>

#include "crypto/sha256.hpp"

namespace convoy::crypto {

/// Collects the Merkle leaves (BEP 52) of a stream of bytes, of any chunking. Blocks that come
/// whole are hashed two at a time. A value; one thread at a time.
class MerkleLeaves {
 public:
  static constexpr std::size_t kBlock = 16 * 1024;

  MerkleLeaves() = default;
  /// Goes on behind these whole blocks.
  explicit MerkleLeaves(std::vector<Hash256> leaves) : leaves_(std::move(leaves)) {}

  void update(ByteView);
  /// The same, and `digest` takes the bytes, too: both in one pass (Sha256::update_both).
  void update_with(Sha256& digest, ByteView);
  /// Of the blocks that are whole so far.
  const std::vector<Hash256>& whole() const { return leaves_; }
  /// All leaves, the last block short. Call once, at the end.
  std::vector<Hash256> finish();

 private:
  void close_full_block();

  Sha256 block_;  // under way
  std::vector<Hash256> leaves_;
};

/// The leaves of bytes that start on a block.
std::vector<Hash256> merkle_leaves(ByteView);

}  // namespace convoy::crypto
