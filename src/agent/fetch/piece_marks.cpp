#include "agent/fetch/piece_marks.hpp"

#include <algorithm>

namespace convoy::agent {

bool PieceMarks::any_of() const {
  return std::find(marks_.begin(), marks_.end(), true) != marks_.end();
}

std::uint64_t PieceMarks::run_from(std::uint64_t offset) const {
  if (offset >= meta_->size) return 0;
  std::uint64_t piece = offset / meta_->piece_length;
  while (piece < marks_.size() && marks_[static_cast<std::size_t>(piece)]) ++piece;
  const std::uint64_t end = std::min(piece * meta_->piece_length, meta_->size);
  return end > offset ? end - offset : 0;
}

std::uint64_t releasable(const bt::BlobMeta& meta, std::uint64_t offset, std::uint64_t readable,
                         bool digest_checked) {
  if (digest_checked || offset >= meta.size) return readable;
  const std::uint64_t held_from = std::uint64_t{meta.piece_count() - 1} * meta.piece_length;
  if (offset >= held_from) return 0;
  return std::min(readable, held_from - offset);
}

}  // namespace convoy::agent
