#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "swarm/core/piece_set.hpp"
#include "swarm/core/types.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::swarm::core {

/// Whose certificate sent a block; an index into State::names.
using NameRef = std::uint32_t;

/// A block of a piece under way. It may be asked of two peers after a stall.
struct BlockSlot {
  std::uint8_t requests = 0;
  bool received = false;
  NameRef from = 0;
};

struct ActivePiece {
  std::uint32_t piece = 0;
  std::vector<BlockSlot> blocks;
  std::uint32_t received = 0;
  std::uint32_t unasked = 0;  ///< neither received nor asked for
  bool verifying = false;
  /// A piece that failed before comes from one peer only, so that the guilty one is known.
  bool single_source = false;
  PeerRef source = 0;  ///< of a single-source piece, once it is chosen

  /// The first block neither received nor asked for; blocks.size() when there is none.
  std::uint32_t next_free() const;
  void ask(std::uint32_t block);
  void unask(std::uint32_t block);
  void receive(std::uint32_t block, NameRef from);
  bool full() const { return received == blocks.size(); }
};

/// What this node has, what is under way, and how many neighbours have each piece.
class PieceTable {
 public:
  PieceTable(const bt::BlobMeta&, const std::vector<bool>& have);

  std::uint32_t count() const { return have_.size(); }
  std::uint32_t blocks_in(std::uint32_t piece) const {
    return piece + 1 == count() ? last_blocks_ : blocks_;
  }
  bt::BlockRef block(std::uint32_t piece, std::uint32_t index) const;
  bool has(std::uint32_t piece) const { return have_.test(piece); }
  const PieceSet& have() const { return have_; }
  bool complete() const { return have_.all(); }

  ActivePiece* active(std::uint32_t piece);
  ActivePiece& start(std::uint32_t piece);
  const std::vector<std::unique_ptr<ActivePiece>>& actives() const { return actives_; }
  void finish(std::uint32_t piece);   ///< verified: this node has it
  void abandon(std::uint32_t piece);  ///< back to missing

  void seen(std::uint32_t piece);
  void unseen(std::uint32_t piece) { --availability_[piece]; }
  std::uint32_t availability(std::uint32_t piece) const { return availability_[piece]; }

  /// Pieces that are missing, not begun, and that some neighbour has. In no order; may be
  /// reordered by the caller. Stale entries are removed by this call.
  std::vector<std::uint32_t>& candidates();

 private:
  enum Flag : std::uint8_t { kActive = 1, kListed = 2 };
  void list(std::uint32_t piece);

  PieceSet have_;
  std::uint64_t size_ = 0;
  std::uint32_t piece_length_ = 0, blocks_ = 0, last_blocks_ = 0;
  std::vector<std::uint16_t> availability_;
  std::vector<std::uint8_t> flags_;
  std::vector<std::uint32_t> candidates_;
  std::vector<std::unique_ptr<ActivePiece>> actives_;
};

}  // namespace convoy::swarm::core
