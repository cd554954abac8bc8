#include "swarm/transport/piece_buffers.hpp"

#include <algorithm>

namespace convoy::swarm {

void PieceBuffers::put(std::uint32_t piece, std::uint32_t begin, ByteView data) {
  PieceBuffer& buffer = active_[piece];
  if (buffer == nullptr) {
    if (idle_.empty()) {
      buffer = std::make_shared<Bytes>(meta_.piece_length);
    } else {
      buffer = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  std::copy(data.begin(), data.end(), buffer->begin() + begin);
}

PieceBuffer PieceBuffers::take(std::uint32_t piece) {
  const auto it = active_.find(piece);
  if (it == active_.end()) return nullptr;
  PieceBuffer out = std::move(it->second);
  active_.erase(it);
  return out;
}

void PieceBuffers::give_back(PieceBuffer buffer) {
  if (buffer == nullptr) return;
  if ((idle_.size() + 1) * meta_.piece_length <=
      std::max<std::size_t>(kMaxIdleBytes, meta_.piece_length)) {
    idle_.push_back(std::move(buffer));
  }
}

void PieceBuffers::release(std::uint32_t piece) { give_back(take(piece)); }

}  // namespace convoy::swarm
