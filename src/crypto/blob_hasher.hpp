#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/hasher.hpp"
#include "crypto/merkle_leaves.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::crypto {

/// What a registry needs to know of the bytes of a blob, in one pass: the digest and the Merkle
/// leaves (BEP 52). One thread at a time.
class BlobHasher {
 public:
  /// The digest's state behind a whole number of Merkle blocks.
  struct Mark {
    std::uint64_t size = 0;
    Sha256::Words words{};
  };

  explicit BlobHasher(oci::DigestAlgorithm);
  /// Goes on where a hasher of SHA-256 stood; `leaves` are those of the mark's size.
  BlobHasher(const Mark&, std::vector<Hash256> leaves);

  oci::DigestAlgorithm algorithm() const;
  std::uint64_t size() const { return size_; }
  void update(ByteView);

  /// The last Merkle block's end. Nothing with SHA-512: OpenSSL does not give its state out.
  std::optional<Mark> mark() const;
  /// The leaves up to the mark.
  const std::vector<Hash256>& leaves() const { return leaves_.whole(); }

  /// Digest and leaves of all bytes. Call each once, at the end.
  oci::Digest digest();
  std::vector<Hash256> take_leaves() { return leaves_.finish(); }

 private:
  std::uint64_t size_ = 0;
  std::unique_ptr<Hasher> sha512_;  // null: SHA-256
  Sha256 sha256_;
  Mark mark_;
  MerkleLeaves leaves_;
};

}  // namespace convoy::crypto
