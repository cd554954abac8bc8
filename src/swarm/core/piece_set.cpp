#include "swarm/core/piece_set.hpp"

#include <bit>

namespace convoy::swarm::core {

std::optional<PieceSet> PieceSet::from_wire(ByteView bits, std::uint32_t size) {
  if (bits.size() != (static_cast<std::size_t>(size) + 7) / 8) return std::nullopt;
  PieceSet out(size);
  for (std::size_t i = 0; i < bits.size() * 8; ++i) {
    if ((bits[i / 8] >> (7 - i % 8) & 1) == 0) continue;
    if (i >= size) return std::nullopt;
    out.set(static_cast<std::uint32_t>(i));
  }
  return out;
}

Bytes PieceSet::to_wire() const {
  Bytes out((static_cast<std::size_t>(size_) + 7) / 8);
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (test(i)) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 0x80U >> (i % 8));
  }
  return out;
}

bool PieceSet::set(std::uint32_t i) {
  const std::uint64_t bit = std::uint64_t{1} << (i % 64);
  if ((words_[i / 64] & bit) != 0) return false;
  words_[i / 64] |= bit;
  ++count_;
  return true;
}

bool PieceSet::clear(std::uint32_t i) {
  const std::uint64_t bit = std::uint64_t{1} << (i % 64);
  if ((words_[i / 64] & bit) == 0) return false;
  words_[i / 64] &= ~bit;
  --count_;
  return true;
}

void PieceSet::set_all() {
  words_.assign(words_.size(), ~std::uint64_t{0});
  if (size_ % 64 != 0) words_.back() = (std::uint64_t{1} << (size_ % 64)) - 1;
  count_ = size_;
}

void PieceSet::clear_all() {
  words_.assign(words_.size(), 0);
  count_ = 0;
}

std::uint32_t PieceSet::first_missing(std::uint32_t from) const {
  while (from < size_) {
    const std::uint64_t free = ~words_[from / 64] >> (from % 64);
    if (free != 0)
      return std::min(size_, from + static_cast<std::uint32_t>(std::countr_zero(free)));
    from = (from / 64 + 1) * 64;
  }
  return size_;
}

}  // namespace convoy::swarm::core
