#pragma once

#include <optional>
#include <vector>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// The hashes of BEP 52 that are not fetched beforehand: gives the piece layer to others, few at a
/// time, so that it spreads from node to node; finds by the leaves of a bad piece which block was
/// wrong.
class HashExchange {
 public:
  explicit HashExchange(State& s) : s_(s) {}

  /// Asks for what is due.
  void pump(Instant now);
  void requested(Peer&, const bt::HashSpan&);
  /// `wrong`: what was asked for came, and does not lead to what it must: the peer lied.
  enum class Answer : std::uint8_t { unasked, leaves, wrong };
  Answer answered(Peer&, const bt::Hashes&);
  void refused(const Peer&, const bt::HashSpan&);
  void peer_gone(PeerRef);

  void leaves_read(PeerRef, const bt::HashSpan&, std::vector<Hash256> leaves);
  /// The answer to this peer has left.
  void sent();
  void layer_known() { computing_ = false; }

  /// A piece came from several peers and one of them lied: keep what its blocks hashed to.
  void blame(std::uint32_t piece, std::vector<Hash256> leaves, std::vector<NameRef> from);
  /// The right leaves of a blamed piece are known: who sent wrong ones.
  std::vector<NameRef> resolve(std::uint32_t piece, const std::vector<Hash256>& right);

 private:
  struct Pending {
    PeerRef peer = 0;
    Instant asked{};
    bt::HashSpan span;
  };
  struct Blame {
    std::uint32_t piece = 0;
    std::vector<Hash256> leaves;
    std::vector<NameRef> from;
    std::optional<Pending> pending;
    std::vector<PeerRef> tried;
  };
  bt::HashSpan leaf_span(std::uint32_t piece) const;
  void ask_leaves(Blame&, Instant now);
  bool answer_layer(Peer&, const bt::HashSpan&);
  std::vector<Hash256> proof_of(const bt::HashSpan&);
  void give_layer(Peer&, const bt::HashSpan&);
  bool answer_leaves(Peer&, const bt::HashSpan&);

  State& s_;
  std::vector<Blame> blames_;
  std::vector<std::pair<PeerRef, bt::HashSpan>> queue_;  ///< a node's, waiting for `sending_`
  std::vector<Hash256> row_roots_;  ///< of the layer; empty until a proof is asked for
  std::size_t sending_ = 0;         ///< answers on their way into sockets
  bool computing_ = false;
};

}  // namespace convoy::swarm::core
