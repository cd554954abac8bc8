#pragma once

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// Keeps the right number of blocks asked for: queues in blocks, never in pieces.
class Requester {
 public:
  explicit Requester(State& s) : s_(s) {}

  /// Asks for what may be asked for. After every event that may have changed that.
  void refill(Instant now);
  Arrival arrived(Peer&, std::uint32_t piece, std::uint32_t begin, std::uint32_t length,
                  Instant now);
  /// False when there was no such request.
  bool rejected(Peer&, const bt::BlockRef&);
  /// Frees all that is asked of the peer; `cancel` tells it.
  void release(Peer&, bool cancel);
  /// A piece that was to come from this peer alone (ActivePiece::single_source) begins anew: a
  /// second source for what is left of it would blur who is guilty.
  void unbind(Peer&, std::uint32_t piece);
  /// What was asked of a peer that has been silent for about a second is freed for others.
  void check_stalls(Instant now);

  /// Blocks that may be open at non-origin peers in all: 10 rows + the bandwidth-delay product.
  std::size_t limit(Instant now) const;
  /// Blocks asked of one peer in a row: one, and more where bytes come fast.
  std::size_t run(Instant now) const;

 private:
  double bdp(Instant now) const;
  Duration patience(std::size_t blocks, Instant now) const;
  void take_offers(Peer& origin, Instant now);
  void ask(Peer&, ActivePiece&, std::uint32_t block, Instant now);
  void give_up(Peer&, const OpenRequest&, bool cancel);
  ActivePiece* begin(std::uint32_t piece);
  std::vector<std::uint32_t> bound_to(const Peer&) const;
  bool someone_else_has(const Peer&, std::uint32_t piece) const;

  State& s_;
};

}  // namespace convoy::swarm::core
