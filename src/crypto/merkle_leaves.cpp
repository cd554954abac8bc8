#include "crypto/merkle_leaves.hpp"

#include <algorithm>

namespace convoy::crypto {

void MerkleLeaves::close_full_block() {
  if (block_.size() != kBlock) return;
  leaves_.push_back(block_.finish());
  block_ = Sha256();
}

void MerkleLeaves::update(ByteView data) {
  while (!data.empty()) {
    if (block_.size() == 0 && data.size() >= 2 * kBlock) {
      for (const auto& leaf : sha256_of_two(data.first(kBlock), data.subspan(kBlock, kBlock))) {
        leaves_.push_back(leaf);
      }
      data = data.subspan(2 * kBlock);
      continue;
    }
    const std::size_t n = std::min(data.size(), kBlock - static_cast<std::size_t>(block_.size()));
    block_.update(data.first(n));
    close_full_block();
    data = data.subspan(n);
  }
}

void MerkleLeaves::update_with(Sha256& digest, ByteView data) {
  while (!data.empty()) {
    const std::size_t n = std::min(data.size(), kBlock - static_cast<std::size_t>(block_.size()));
    Sha256::update_both(digest, block_, data.first(n));
    close_full_block();
    data = data.subspan(n);
  }
}

std::vector<Hash256> MerkleLeaves::finish() {
  if (block_.size() != 0) leaves_.push_back(block_.finish());
  return std::move(leaves_);
}

std::vector<Hash256> merkle_leaves(ByteView data) {
  MerkleLeaves leaves;
  leaves.update(data);
  return leaves.finish();
}

}  // namespace convoy::crypto
