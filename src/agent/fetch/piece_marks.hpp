#pragma once

#include <cstdint>
#include <vector>

#include "wire/bt/metadata.hpp"

namespace convoy::agent {

/// Pieces that came from the registry and could not be checked by themselves, because the
/// hashes of the pieces are not known (no peer, or no metadata at all). Pure.
class PieceMarks {
 public:
  explicit PieceMarks(const bt::BlobMeta& meta) : meta_(&meta), marks_(meta.piece_count()) {}

  void set(std::uint32_t piece) { marks_.at(piece) = true; }
  bool any() const { return any_of(); }
  /// Bytes of marked pieces in a row from `offset`; 0 when its piece is not marked.
  std::uint64_t run_from(std::uint64_t offset) const;

 private:
  bool any_of() const;

  const bt::BlobMeta* meta_;
  std::vector<bool> marks_;
};

/// How many of `readable` bytes at `offset` may go to a client. Until the digest of the whole blob
/// has been checked its last piece is held back, so that a client never has a complete wrong blob.
std::uint64_t releasable(const bt::BlobMeta&, std::uint64_t offset, std::uint64_t readable,
                         bool digest_checked);

}  // namespace convoy::agent
