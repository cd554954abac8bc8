#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// An origin's side: it hides what it has and offers piece by piece, in reading order, each to
/// one node, of its own zone if one of those lacks it and they are a few, and not to a slow one. A
/// piece is offered again when its holder is gone before a neighbour has it, and to a neighbour
/// that gets nothing from anybody else. Once all are out, some of the last ones go to those that
/// began first as well (ADR 20).
class Offers {
 public:
  explicit Offers(State& s)
      : s_(s), out_(s.pieces.count()), last_offer_(s.config.origin ? s.pieces.count() : 0) {}
  ~Offers() { tell(false); }
  Offers(const Offers&) = delete;
  Offers& operator=(const Offers&) = delete;

  /// Whether this peer may ask for the piece.
  bool allowed(const Peer& peer, std::uint32_t piece) const {
    return peer.offered.size() != 0 && peer.offered.test(piece);
  }
  void peer_has(Peer&, std::uint32_t piece, Instant now);
  /// Before the peer's pieces are taken off the table; `peer` is not offered to again.
  void peer_gone(const Peer& peer);
  /// After they were taken off: what nobody has now is to be offered again.
  void check_lost(const PieceSet& had, Instant now);
  void asked(Peer&, std::uint32_t piece, Instant now);
  void block_leaves(PeerRef, std::uint32_t piece, Instant now);
  /// Makes the offers that are due.
  void pump(Instant now);
  bool busy() const { return !offers_.empty() || !lost_.empty() || out_count_ < out_.size(); }

  static constexpr std::uint32_t kAhead = 64;  ///< pieces before the 90th percentile, at least

 private:
  static constexpr Duration kLost = std::chrono::seconds(1);
  static constexpr int kPatience = 4;  ///< times what it should take
  struct Offer {
    std::uint32_t piece = 0;
    PeerRef peer = 0;
    Instant made{}, progress{};
    std::uint32_t left = 0;  ///< blocks not yet on their way
    bool asked = false;
  };
  void note_path();
  double on_path(Instant now) const;
  std::size_t pieces_in(double bytes) const;
  std::size_t limit(Instant now) const;
  Duration piece_time(Instant now) const;
  std::size_t unsent(Instant now) const;
  bool waits_here(const Offer&) const;
  std::size_t open_at(PeerRef) const;
  bool open(std::uint32_t piece) const;
  void mark_out(std::uint32_t piece);
  Duration queue_time(Instant now) const;
  void expire(Instant now);
  std::optional<std::uint32_t> next_first_copy(Instant now);
  bool too_far_ahead(Instant now) const;
  Peer* receiver(std::uint32_t piece) const;
  Peer* first_begun(std::uint32_t piece, Instant now) const;
  bool offer_again(Instant now);
  bool offer_starving(Instant now);
  void find_silent_holders(Instant now);
  void find_slow();
  void offer(Peer&, std::uint32_t piece, Instant now);
  void tell(bool giving);

  State& s_;
  std::vector<bool> out_;  ///< ever offered, or seen at a neighbour
  std::uint32_t out_count_ = 0;
  std::uint32_t cursor_ = 0;
  std::vector<Offer> offers_;  ///< until somebody has the piece
  /// Pieces that no neighbour has (holders 0), or one that keeps them to itself (1), and from
  /// when on to offer them again.
  struct Lost {
    Instant due{};
    std::uint32_t holders = 0;
  };
  std::map<std::uint32_t, Lost> lost_;
  std::set<std::uint32_t> again_;  ///< pieces that offer_again() has offered
  std::vector<Instant> last_offer_;
  Instant next_look_{};
  bool giving_ = false;  ///< counts in Traffic::giving
  LatencyMeter uptake_;  ///< offer to first request, of all peers
  /// The least of that which a peer takes: of the middle one, as few may be far away, or late on
  /// purpose.
  Duration path_{};
  LatencyMeter settling_;  ///< offer to the node having the piece
};

}  // namespace convoy::swarm::core
