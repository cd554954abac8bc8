#include "swarm/core/limits.hpp"
#include "swarm/core/swarm_impl.hpp"

namespace convoy::swarm::core {

void Swarm::Impl::on(Peer& peer, const bt::Choke&, Instant) {
  peer.choking = true;
  for (const OpenRequest& r : peer.open) peer.forgiven += s.length_of(r);
  requester.release(peer, false);
}
void Swarm::Impl::on(Peer& peer, const bt::Unchoke&, Instant) { peer.choking = false; }
void Swarm::Impl::on(Peer& peer, const bt::Interested&, Instant now) {
  peer.interested = true;
  peer.elsewhere = now;
}
void Swarm::Impl::on(Peer& peer, const bt::NotInterested&, Instant) { peer.interested = false; }

void Swarm::Impl::on(Peer& peer, const bt::Have& m, Instant now) {
  if (m.piece >= s.pieces.count()) return violation(peer, "have of no piece", now);
  peer_has(peer, m.piece, now);
}

void Swarm::Impl::on(Peer& peer, const bt::Bitfield& m, Instant now) {
  const auto set = PieceSet::from_wire(m.bits, s.pieces.count());
  if (!set) return violation(peer, "bitfield", now);
  set_pieces(peer, *set, now);
}
void Swarm::Impl::on(Peer& peer, const bt::HaveAll&, Instant now) {
  PieceSet all(s.pieces.count());
  all.set_all();
  set_pieces(peer, all, now);
}
void Swarm::Impl::on(Peer& peer, const bt::HaveNone&, Instant now) {
  set_pieces(peer, PieceSet(s.pieces.count()), now);
}

void Swarm::Impl::on(Peer& peer, const bt::RequestBlock& m, Instant now) {
  const bt::BlockRef& b = m.block;
  const bool shaped = b.piece < s.pieces.count() && b.begin % bt::kBlockSize == 0 &&
                      b.begin / bt::kBlockSize < s.pieces.blocks_in(b.piece) &&
                      s.pieces.block(b.piece, b.begin / bt::kBlockSize) == b;
  if (!shaped) {
    if (++peer.bad_requests >= kMaxBadRequests) {
      return violation(peer,
                       "malformed request " + std::to_string(b.piece) + "/" +
                           std::to_string(b.begin) + "+" + std::to_string(b.length),
                       now);
    }
    s.send(peer, bt::RejectBlock{b});
    return;
  }
  const bool may = s.pieces.has(b.piece) ? !s.config.origin || offers.allowed(peer, b.piece)
                                         : promises.made(b.piece);
  if (!may || !uploader.enqueue(peer, b, now)) {
    if (++peer.unknown_requests >= kMaxUnknownRequests) {
      return violation(peer, "requests for what is not here", now);
    }
    s.send(peer, bt::RejectBlock{b});
    return;
  }
  if (s.config.origin) offers.asked(peer, b.piece, now);
}

void Swarm::Impl::on(Peer& peer, const bt::CancelBlock& m, Instant) {
  if (uploader.cancel(peer, m.block)) s.send(peer, bt::RejectBlock{m.block});
}

void Swarm::Impl::on(Peer& peer, const bt::RejectBlock& m, Instant) {
  // Whoever refuses a block does not have the piece, whatever it said before.
  if (requester.rejected(peer, m.block) && !peer.choking) lacks(peer, m.block.piece);
}

void Swarm::Impl::on(Peer& peer, const bt::HashRequest& m, Instant now) {
  if (++peer.hash_requests > kMaxHashRequests) return violation(peer, "hash requests", now);
  hashes.requested(peer, m.span);
}

void Swarm::Impl::layer_arrived(Instant) {
  hashes.layer_known();
  if (s.pieces.complete()) return;
  for (const auto& p : s.peers) s.send(*p, bt::Interested{});
}

void Swarm::Impl::on(Peer& peer, const bt::Hashes& m, Instant now) {
  switch (layer.answered(peer, m)) {
    case LayerFetch::Answer::layer:
      return layer_arrived(now);
    case LayerFetch::Answer::row:
      return;
    case LayerFetch::Answer::wrong:
      return drop(peer, "bad_hashes", true, now);
    case LayerFetch::Answer::unasked:
      break;
  }
  switch (hashes.answered(peer, m)) {
    case HashExchange::Answer::leaves: {
      const std::uint32_t piece = m.span.index / (s.config.meta.piece_length / bt::kBlockSize);
      for (const NameRef guilty : hashes.resolve(piece, m.hashes)) ban(guilty, piece, now);
      return;
    }
    case HashExchange::Answer::wrong:
      return drop(peer, "bad_hashes", true, now);
    case HashExchange::Answer::unasked:
      return;
  }
}

void Swarm::Impl::on(Peer& peer, const bt::HashReject& m, Instant now) {
  layer.refused(peer, m.span, now);
  hashes.refused(peer, m.span);
}

}  // namespace convoy::swarm::core
