#include <algorithm>

#include "swarm/core/swarm_impl.hpp"

namespace convoy::swarm::core {

void Swarm::Impl::greet(Peer& peer) {
  if (s.config.origin || s.pieces.have().count() == 0) {
    s.send(peer, bt::HaveNone{});
  } else if (s.pieces.complete()) {
    s.send(peer, bt::HaveAll{});
  } else {
    s.send(peer, bt::Bitfield{s.pieces.have().to_wire()});
  }
  s.send(peer, bt::Unchoke{});
  if (s.knows_layer() && !s.pieces.complete()) s.send(peer, bt::Interested{});
}

void Swarm::Impl::forget(PeerRef ref, Instant now) {
  const auto it =
      std::find_if(s.peers.begin(), s.peers.end(), [ref](const auto& p) { return p->ref == ref; });
  if (it == s.peers.end()) return;
  const std::unique_ptr<Peer> peer = std::move(*it);
  s.peers.erase(it);
  for (const OpenRequest& r : peer->open) s.refund(*peer, s.length_of(r));
  requester.release(*peer, false);
  layer.peer_gone(ref);
  hashes.peer_gone(ref);
  if (s.config.origin) offers.peer_gone(*peer);
  for (std::uint32_t i = 0; i < s.pieces.count(); ++i) {
    if (!peer->have.test(i)) continue;
    s.pieces.unseen(i);
    if (peer->far()) s.border.not_across(i);
  }
  if (s.config.origin) offers.check_lost(peer->have, now);
}

void Swarm::Impl::drop(Peer& peer, std::string code, bool banned, Instant now, std::string detail) {
  const PeerRef ref = peer.ref;
  if (banned) s.banned.insert(peer.info.node);
  s.out.push_back(DropPeer{ref, peer.info.node, std::move(code), banned, std::move(detail)});
  forget(ref, now);
}

void Swarm::Impl::ban(NameRef name, std::uint32_t piece, Instant now) {
  const std::string node = s.names[name];
  s.banned.insert(node);
  if (s.reported.insert(name).second) s.out.push_back(ReportPeer{node, piece});
  for (;;) {
    const auto it = std::find_if(s.peers.begin(), s.peers.end(),
                                 [name](const auto& p) { return p->name == name; });
    if (it == s.peers.end()) return;
    drop(**it, "corrupt_piece", true, now);
  }
}

void Swarm::Impl::peer_has(Peer& peer, std::uint32_t piece, Instant now) {
  if (!s.peer_gains(peer, piece)) return;
  if (peer.far()) {
    s.border.across(piece, s.pieces.count(), now);
  } else if (!peer.info.origin) {
    s.border.at_home(piece, now);
  }
  if (s.config.origin) offers.peer_has(peer, piece, now);
}

bool Swarm::Impl::lacks(Peer& peer, std::uint32_t piece) {
  requester.unbind(peer, piece);
  if (!s.peer_loses(peer, piece)) return false;
  if (peer.far()) s.border.not_across(piece);
  return true;
}

void Swarm::Impl::set_pieces(Peer& peer, const PieceSet& set, Instant now) {
  if (peer.said_have) return violation(peer, "pieces told twice", now);
  peer.said_have = true;
  for (std::uint32_t i = 0; i < set.size(); ++i) {
    if (set.test(i)) peer_has(peer, i, now);
  }
  peer.had = peer.have.count();
}

}  // namespace convoy::swarm::core
