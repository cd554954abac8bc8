#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/hasher.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::crypto {

Hash256 sha256(ByteView);
Hash256 sha256_pair(const Hash256& left, const Hash256& right);

std::unique_ptr<Hasher> make_hasher(oci::DigestAlgorithm);

/// Collects the Merkle leaves (BEP 52) of a stream of bytes, of any chunking.
class MerkleLeaves {
 public:
  MerkleLeaves();
  ~MerkleLeaves();
  MerkleLeaves(MerkleLeaves&&) noexcept;
  MerkleLeaves& operator=(MerkleLeaves&&) noexcept;
  void update(ByteView);
  /// All leaves, the last block short. Call once, at the end.
  std::vector<Hash256> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::crypto
