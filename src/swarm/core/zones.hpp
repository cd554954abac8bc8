#pragma once

#include <cstdint>
#include <vector>

#include "swarm/core/types.hpp"

// Topology zones: what a node asks for over the border of its own (peer-wire.md, "Zones").
namespace convoy::swarm::core {

/// Whether the node at this place of its zone fetches the piece over the border. At attempt 0 a
/// piece has one such node, and each further attempt has twice as many, so that in a zone of n
/// after log2(n) of them everybody may. A place that cannot be (no count, an index beyond it) is
/// taken for the nearest that can. `salt` differs from blob to blob. Pure.
bool owns(ZonePlace, std::uint64_t salt, std::uint32_t piece, std::uint32_t attempt);

/// The pieces that peers of other zones have, and when this node may ask for one there: it owns it.
/// The owner of a piece that does not come is taken to be gone once pieces of other nodes that
/// could be had a while later are at home, or when none of theirs came for that long; then the next
/// attempt begins. Empty, and free of cost, until there is a peer of another zone.
class Border {
 public:
  explicit Border(std::uint64_t salt) : salt_(salt) {}

  void set_place(ZonePlace place) { place_ = place; }
  /// `neighbours`: peers of the own zone. There are at least so many nodes, whatever the tracker
  /// said when there were fewer. `patience`: how long a piece may be missed, which must grow with
  /// the time that what is asked for over the border takes: over a thin line every piece waits.
  /// `news`: how long a neighbour may keep it to itself that it has a piece. A piece is asked for
  /// across once it has been known there for that long.
  void look(Instant now, std::uint32_t neighbours, Duration patience, Duration news);

  /// A peer of another zone has the piece, or has it no more. `pieces`: of the blob.
  void across(std::uint32_t piece, std::uint32_t pieces, Instant now);
  void not_across(std::uint32_t piece);
  /// The own zone has the piece now, by a neighbour or by this node itself.
  void at_home(std::uint32_t piece, Instant now);
  void got(std::uint32_t piece);

  bool any() const { return !pieces_.empty(); }
  /// How many peers of other zones have it.
  std::uint32_t holders(std::uint32_t piece) const { return any() ? pieces_[piece].holders : 0; }
  /// Whether this node is to fetch it from there, as of the last look().
  bool mine(std::uint32_t piece) const;
  /// What could be had a second earlier comes first; within a second the order is by `tie`, so that
  /// nodes of small zones do not all ask for the same.
  std::uint64_t order(std::uint32_t piece, std::uint64_t tie) const;

 private:
  struct Piece {
    Instant since{};  ///< could be had across the border; the epoch: never yet
    std::uint16_t holders = 0;
    bool home = false;
  };
  std::uint32_t attempt(const Piece&, Instant now) const;

  std::uint64_t salt_;
  ZonePlace place_;
  std::vector<Piece> pieces_;
  Instant newest_{};  ///< latest `since` of a piece that its owner brought home
  Instant moved_{};   ///< when one last did
  Instant now_{};
  std::uint32_t least_ = 1;
  Duration patience_ = std::chrono::seconds(1);
  Duration news_{};
};

}  // namespace convoy::swarm::core
