#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "base/hasher.hpp"
#include "crypto/sha256.hpp"
#include "storage/blob/cache_store.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::agent {

/// The digest of a blob that grows from its start while the blob arrives. Whoever has the next
/// bytes in memory, and knows that they are right, takes it along: at() and advance(); what was
/// not taken so is read from the file. Safe from any thread.
class BlobDigest {
 public:
  explicit BlobDigest(oci::DigestAlgorithm);

  /// The bytes that are in it.
  std::uint64_t size() const;
  /// The state to go on from, if the next byte is that at `offset`. Never with SHA-512.
  std::optional<crypto::Sha256> at(std::uint64_t offset) const;
  /// Takes a state that went on from at(); one that is no further changes nothing.
  void advance(const crypto::Sha256&);
  /// Goes on to `end` with what is in the file; nothing to do when it is there. Blocks. Error
  /// "blob_read". One thread at a time.
  Status read_on(const storage::PieceFile&, std::uint64_t end);
  /// The digest of what is in it. Call once, at the end.
  Bytes finish();

 private:
  mutable std::mutex mutex_;
  crypto::Sha256 sha256_;
  std::unique_ptr<Hasher> sha512_;  // null: SHA-256
  std::uint64_t sha512_size_ = 0;
};

}  // namespace convoy::agent
