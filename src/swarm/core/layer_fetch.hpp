#pragma once

#include <cstdint>
#include <vector>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// Fetches the piece layer, which must lead to the signed root, before anything else is asked for.
/// A large one comes in rows from several neighbours at once, each row with the uncles that prove
/// it (BEP 52): the connections are new, and what one of them brings in its first round trips is
/// little. From an origin it comes whole: of its few answers many nodes would have a row each, and
/// none the layer, to pass it on.
class LayerFetch {
 public:
  explicit LayerFetch(State&);

  /// Asks for what is due.
  void pump(Instant now);
  /// `wrong`: what was asked for came, and does not lead to the root: the peer lied.
  enum class Answer : std::uint8_t { unasked, row, layer, wrong };
  Answer answered(Peer&, const bt::Hashes&);
  void refused(Peer&, const bt::HashSpan&, Instant now);
  void peer_gone(PeerRef);

 private:
  struct Ask {
    PeerRef peer = 0;
    Instant at{};
  };
  struct Part {
    bt::HashSpan span;
    std::vector<Ask> asks;  ///< unanswered, oldest first
    bool known = false;
    bool fresh(Instant now, Duration patience) const;
    bool asked_of(PeerRef) const;
    bool forget(PeerRef);  ///< false: it was not asked
  };
  void forget_old(Part&, Instant now);
  void ask(Part&, Peer&, Instant now);
  std::size_t open_at(PeerRef) const;
  Peer* neighbour_for(const Part&, Instant now) const;
  Peer* origin(Instant now) const;
  Part* settled(PeerRef, const bt::HashSpan&);
  bool take(Part&, const std::vector<Hash256>& hashes);

  State& s_;
  std::vector<Part> rows_;
  Part whole_;
  std::vector<Hash256> layer_;
};

}  // namespace convoy::swarm::core
