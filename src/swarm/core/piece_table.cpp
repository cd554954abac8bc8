#include "swarm/core/piece_table.hpp"

#include <algorithm>

namespace convoy::swarm::core {

std::uint32_t ActivePiece::next_free() const {
  for (std::uint32_t i = 0; i < blocks.size(); ++i) {
    if (!blocks[i].received && blocks[i].requests == 0) return i;
  }
  return static_cast<std::uint32_t>(blocks.size());
}

void ActivePiece::ask(std::uint32_t block) {
  BlockSlot& slot = blocks[block];
  if (slot.requests++ == 0 && !slot.received) --unasked;
}

void ActivePiece::unask(std::uint32_t block) {
  BlockSlot& slot = blocks[block];
  if (--slot.requests == 0 && !slot.received) ++unasked;
}

void ActivePiece::receive(std::uint32_t block, NameRef from) {
  BlockSlot& slot = blocks[block];
  if (slot.requests == 0) --unasked;
  slot.received = true;
  slot.from = from;
  ++received;
}

PieceTable::PieceTable(const bt::BlobMeta& meta, const std::vector<bool>& have)
    : have_(meta.piece_count()),
      size_(meta.size),
      piece_length_(meta.piece_length),
      blocks_(meta.piece_length / bt::kBlockSize),
      last_blocks_(meta.blocks_in(meta.piece_count() - 1)),
      availability_(have_.size()),
      flags_(have_.size()) {
  for (std::uint32_t i = 0; i < have_.size() && i < have.size(); ++i) {
    if (have[i]) have_.set(i);
  }
}

bt::BlockRef PieceTable::block(std::uint32_t piece, std::uint32_t index) const {
  const std::uint32_t begin = index * bt::kBlockSize;
  const std::uint64_t left = size_ - (std::uint64_t{piece} * piece_length_ + begin);
  return {piece, begin, static_cast<std::uint32_t>(std::min<std::uint64_t>(left, bt::kBlockSize))};
}

ActivePiece* PieceTable::active(std::uint32_t piece) {
  if ((flags_[piece] & kActive) == 0) return nullptr;
  for (auto& a : actives_) {
    if (a->piece == piece) return a.get();
  }
  return nullptr;
}

ActivePiece& PieceTable::start(std::uint32_t piece) {
  flags_[piece] |= kActive;
  auto& a = actives_.emplace_back(std::make_unique<ActivePiece>());
  a->piece = piece;
  a->blocks.resize(blocks_in(piece));
  a->unasked = blocks_in(piece);
  return *a;
}

void PieceTable::finish(std::uint32_t piece) {
  std::erase_if(actives_, [piece](const auto& a) { return a->piece == piece; });
  flags_[piece] = static_cast<std::uint8_t>(flags_[piece] & ~kActive);
  have_.set(piece);
}

void PieceTable::abandon(std::uint32_t piece) {
  std::erase_if(actives_, [piece](const auto& a) { return a->piece == piece; });
  flags_[piece] = static_cast<std::uint8_t>(flags_[piece] & ~kActive);
  list(piece);
}

void PieceTable::seen(std::uint32_t piece) {
  ++availability_[piece];
  list(piece);
}

void PieceTable::list(std::uint32_t piece) {
  if ((flags_[piece] & kListed) != 0 || has(piece) || availability_[piece] == 0) return;
  flags_[piece] |= kListed;
  candidates_.push_back(piece);
}

std::vector<std::uint32_t>& PieceTable::candidates() {
  for (std::size_t i = 0; i < candidates_.size();) {
    const std::uint32_t p = candidates_[i];
    if (!has(p) && (flags_[p] & kActive) == 0 && availability_[p] > 0) {
      ++i;
      continue;
    }
    flags_[p] = static_cast<std::uint8_t>(flags_[p] & ~kListed);
    candidates_[i] = candidates_.back();
    candidates_.pop_back();
  }
  return candidates_;
}

}  // namespace convoy::swarm::core
