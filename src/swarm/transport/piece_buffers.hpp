#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::swarm {

using PieceBuffer = std::shared_ptr<Bytes>;

/// The buffers of pieces under way, reused from piece to piece. How many there are is bounded
/// by the core's limit of active pieces. One thread.
class PieceBuffers {
 public:
  explicit PieceBuffers(const bt::BlobMeta& meta) : meta_(meta) {}

  /// Copies a block to its place; the piece gets a buffer if it has none.
  void put(std::uint32_t piece, std::uint32_t begin, ByteView data);
  /// Hands the piece's buffer out, for hashing and writing; null when there is none.
  PieceBuffer take(std::uint32_t piece);
  /// A buffer that was taken is not needed any more.
  void give_back(PieceBuffer);
  void release(std::uint32_t piece);
  /// Gives idle memory back to the system.
  void trim() { idle_.clear(); }

 private:
  static constexpr std::size_t kMaxIdleBytes = 4U << 20;
  bt::BlobMeta meta_;
  std::map<std::uint32_t, PieceBuffer> active_;
  std::vector<PieceBuffer> idle_;
};

}  // namespace convoy::swarm
