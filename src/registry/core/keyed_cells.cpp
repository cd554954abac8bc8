#include "registry/core/keyed_cells.hpp"

#include <algorithm>
#include <cstring>

#include "crypto/hash.hpp"

namespace convoy::registry {

KeyedCells::KeyedCells(Random& random)
    : secret_(random.hex(16)), cells_(std::tuple_size_v<decltype(Slot::cells_)> * kColumns) {}

KeyedCells::Slot KeyedCells::find(std::string_view key) {
  const Hash256 hash = crypto::sha256(as_bytes(secret_ + std::string(key)));
  Slot slot;
  for (std::size_t row = 0; row < slot.cells_.size(); ++row) {
    std::uint32_t column = 0;
    std::memcpy(&column, hash.data() + row * sizeof column, sizeof column);
    slot.cells_[row] = &cells_[row * kColumns + column % kColumns];
  }
  return slot;
}

SteadyTime KeyedCells::Slot::instant() const {
  SteadyTime out = *cells_.front();
  for (const SteadyTime* cell : cells_) out = std::min(out, *cell);
  return out;
}

void KeyedCells::Slot::put(SteadyTime instant) {
  for (SteadyTime* cell : cells_) *cell = std::max(*cell, instant);
}

}  // namespace convoy::registry
