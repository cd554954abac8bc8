#pragma once

#include <optional>

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
  /// Single requests that hold everything up are made of somebody else (late.hpp).
  void move_late(Instant now);
  /// When the node's limits let go on what the last refill() had to leave.
  std::optional<Instant> held_until() const { return held_until_; }

 private:
  /// What the measured rate says.
  struct Pace {
    std::size_t row = 1;  ///< blocks asked of one peer at once: more where bytes come fast
    /// Blocks on their way from peers other than origins: 8 rows + the bandwidth-delay product.
    std::size_t total = 0;
    /// What peers may owe together, requests that are long on their way and all: that product
    /// twice, and 8 rows or what slow links keep in their queues.
    double owed = 0;
    Duration patience = std::chrono::hours(1);  ///< a request that is older does not count there
  };

  Pace pace(Instant now) const;
  double bdp(double rate) const;
  bool limits_allow(const Peer&, Instant now);
  void look_over_border(Instant now);
  void take_offers(Peer& origin, Instant now);
  void ask(Peer&, ActivePiece&, std::uint32_t block, Instant now);
  void give_up(Peer&, const OpenRequest&, bool cancel);
  ActivePiece* begin(std::uint32_t piece);
  std::vector<std::uint32_t> bound_to(const Peer&) const;
  bool someone_else_has(const Peer&, std::uint32_t piece) const;

  State& s_;
  std::optional<Instant> held_until_;
};

}  // namespace convoy::swarm::core
