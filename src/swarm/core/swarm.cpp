#include "swarm/core/swarm.hpp"

#include <algorithm>

#include "swarm/core/limits.hpp"
#include "swarm/core/swarm_impl.hpp"

namespace convoy::swarm::core {
namespace {

constexpr Duration kSilence = std::chrono::seconds(130);
constexpr Duration kIdle = std::chrono::seconds(60);
constexpr Duration kTicketTime = std::chrono::seconds(1);

}  // namespace

Swarm::Swarm(SwarmConfig c) : impl_(std::make_unique<Impl>(std::move(c))) {}
Swarm::~Swarm() = default;

/// After an event: everything that may have become due.
void Swarm::Impl::settle(Instant now) {
  if (!s.knows_layer()) layer.pump(now);
  hashes.pump(now);
  if (s.config.origin) {
    offers.pump(now);
  } else {
    requester.refill(now);
    promises.look(now);
  }
}

void Swarm::connected(PeerRef ref, PeerInfo info, Instant now) {
  auto& s = impl_->s;
  const NameRef name = s.intern(info.node);
  s.peers.push_back(std::make_unique<Peer>(ref, std::move(info), name, s.pieces.count(), now));
  Peer& peer = *s.peers.back();
  if (s.config.traffic) peer.upload = s.config.traffic->upload_to(peer.info.node);
  if (s.banned.contains(peer.info.node)) return impl_->drop(peer, "peer_banned", true, now);
  impl_->greet(peer);
}

void Swarm::closed(PeerRef ref, Instant now) {
  impl_->forget(ref, now);
  impl_->settle(now);
}

void Swarm::received(PeerRef ref, const bt::Message& message, Instant now) {
  Peer* peer = impl_->s.find(ref);
  if (peer == nullptr) return;
  peer->last_heard = now;
  if (std::holds_alternative<bt::KeepAlive>(message) ||
      std::holds_alternative<bt::Unknown>(message)) {
    return;
  }
  const bool first = std::holds_alternative<bt::Bitfield>(message) ||
                     std::holds_alternative<bt::HaveAll>(message) ||
                     std::holds_alternative<bt::HaveNone>(message);
  if (!peer->said_have && !first) {
    impl_->violation(*peer, "first message", now);
  } else {
    std::visit([&](const auto& m) { impl_->on(*peer, m, now); }, message);
  }
  impl_->settle(now);
}

Arrival Swarm::block(PeerRef ref, std::uint32_t piece, std::uint32_t begin, std::uint32_t length,
                     Instant now) {
  Peer* peer = impl_->s.find(ref);
  if (peer == nullptr) return Arrival::unsolicited;
  peer->last_heard = now;
  const Arrival what = impl_->requester.arrived(*peer, piece, begin, length, now);
  if (what == Arrival::stored) {
    (peer->info.origin ? impl_->counts.from_origin : impl_->counts.from_peers) += length;
    if (peer->info.other_zone) impl_->counts.over_border += length;
    ActivePiece* active = impl_->s.pieces.active(piece);
    if (active->full()) {
      active->verifying = true;
      impl_->s.out.push_back(VerifyPiece{piece});
    }
  } else {
    impl_->counts.redundant += length;
    if (what == Arrival::unsolicited && ++peer->unsolicited >= kMaxUnsolicited) {
      impl_->violation(*peer, "unsolicited blocks", now);
    }
  }
  impl_->settle(now);
  return what;
}

void Swarm::dont_have(PeerRef ref, std::uint32_t piece, Instant now) {
  Peer* peer = impl_->s.find(ref);
  if (peer == nullptr) return;
  if (piece >= impl_->s.pieces.count())
    return impl_->violation(*peer, "dont-have of no piece", now);
  if (!impl_->lacks(*peer, piece)) return;
  if (impl_->s.config.origin) {
    PieceSet one(impl_->s.pieces.count());
    one.set(piece);
    impl_->offers.check_lost(one, now);
  }
}

void Swarm::ticket_shown(PeerRef ref, Instant now) {
  Peer* peer = impl_->s.find(ref);
  if (peer == nullptr) return;
  peer->tickets_until =
      std::max(peer->tickets_until, now - kMaxTickets * kTicketTime) + kTicketTime;
  if (peer->tickets_until > now) impl_->violation(*peer, "tickets", now);
}

bool Swarm::banned(std::string_view node) const { return impl_->s.banned.contains(node); }

void Swarm::Impl::gained(std::uint32_t piece, Instant now) {
  s.pieces.finish(piece);
  s.border.got(piece);
  for (const auto& p : s.peers) {
    if (p->have.test(piece)) --p->useful;
  }
  news.gained(piece, promises.kept(piece, now), now);
  if (s.pieces.complete()) s.out.push_back(Completed{});
}

void Swarm::verified(std::uint32_t piece, std::span<const Hash256> leaves, Instant now) {
  auto& im = *impl_;
  if (im.s.pieces.active(piece) == nullptr) return;
  im.gained(piece, now);
  if (im.s.failed_before.erase(piece) > 0) {
    const std::vector<Hash256> right(leaves.begin(), leaves.end());
    for (const NameRef guilty : im.hashes.resolve(piece, right)) im.ban(guilty, piece, now);
  }
  im.settle(now);
}

void Swarm::failed(std::uint32_t piece, std::span<const Hash256> leaves, Instant now) {
  auto& im = *impl_;
  ActivePiece* active = im.s.pieces.active(piece);
  if (active == nullptr) return;
  std::vector<NameRef> from;
  for (const BlockSlot& b : active->blocks) from.push_back(b.from);
  const bool alone =
      std::all_of(from.begin(), from.end(), [&](NameRef n) { return n == from.front(); });
  im.s.pieces.abandon(piece);
  im.s.failed_before.insert(piece);
  if (alone) {
    im.ban(from.front(), piece, now);
  } else {
    im.hashes.blame(piece, {leaves.begin(), leaves.end()}, std::move(from));
  }
  im.settle(now);
}

void Swarm::lost(std::uint32_t piece, Instant now) {
  if (impl_->s.pieces.active(piece) != nullptr) impl_->s.pieces.abandon(piece);
  impl_->settle(now);
}

void Swarm::layer_computed(std::vector<Hash256> layer, Instant now) {
  impl_->hashes.layer_known();
  if (impl_->s.knows_layer() || layer.size() != impl_->s.pieces.count()) return;
  impl_->s.layer = std::move(layer);
  impl_->layer_arrived(now);
  impl_->settle(now);
}

void Swarm::leaves_read(PeerRef peer, const bt::HashSpan& span, std::vector<Hash256> leaves,
                        Instant now) {
  impl_->hashes.leaves_read(peer, span, std::move(leaves));
  impl_->settle(now);
}

void Swarm::hashes_sent(PeerRef) { impl_->hashes.sent(); }

void Swarm::injected(std::uint32_t piece, Instant now) {
  auto& im = *impl_;
  if (im.s.pieces.has(piece)) return;
  for (const auto& p : im.s.peers) {
    std::erase_if(p->open, [&](const OpenRequest& r) {
      if (r.piece != piece) return false;
      im.s.send(*p, bt::CancelBlock{im.s.pieces.block(r.piece, r.block)});
      p->forgiven += im.s.length_of(r);
      return true;
    });
  }
  if (im.s.pieces.active(piece) != nullptr) im.s.out.push_back(ReleasePiece{piece});
  im.gained(piece, now);
  im.settle(now);
}

std::optional<Upload> Swarm::next_block(Instant now) {
  return impl_->leaves(impl_->uploader.next(now), now);
}
std::optional<Upload> Swarm::more_for(PeerRef peer, Instant now) {
  return impl_->leaves(impl_->uploader.more(peer, now), now);
}
bool Swarm::has_uploads(Instant now) const { return impl_->uploader.waiting(now); }

std::optional<Instant> Swarm::held_until(Instant now) const {
  const auto asking = impl_->requester.held_until();
  const auto sending = impl_->uploader.held_until(now);
  if (!asking || !sending) return asking ? asking : sending;
  return std::min(*asking, *sending);
}

void Swarm::block_sent(PeerRef ref, const bt::BlockRef& b, Instant now) {
  auto& im = *impl_;
  im.s.up.add(b.length, now);
  im.counts.uploaded += b.length;
  if (Peer* peer = im.s.find(ref)) peer->sending = false;
  if (im.s.config.origin) im.offers.pump(now);
}

/// The next offer is made at once: mostly it is to the same peer, and goes along with the block.
std::optional<Upload> Swarm::Impl::leaves(std::optional<Upload> upload, Instant now) {
  if (upload && s.config.origin) {
    offers.block_leaves(upload->peer, upload->block.piece, now);
    offers.pump(now);
  }
  return upload;
}

void Swarm::set_place(ZonePlace place) {
  impl_->s.border.set_place(place);
  impl_->news.set_zone(place.count);
}

void Swarm::set_reader(std::uint64_t id, std::uint64_t offset, Instant now) {
  const bool fresh = !impl_->s.readers.contains(id);
  impl_->s.readers[id] = offset;
  if (fresh) impl_->settle(now);
}
void Swarm::remove_reader(std::uint64_t id) { impl_->s.readers.erase(id); }

Duration Swarm::tick(Instant now) {
  auto& im = *impl_;
  std::vector<std::pair<PeerRef, const char*>> quiet;
  for (const auto& p : im.s.peers) {
    const bool idle = im.s.pieces.complete() && p->have.all() && !im.s.config.origin &&
                      !p->info.origin && now - p->last_heard > kIdle;
    if (now - p->last_heard > kSilence) quiet.emplace_back(p->ref, "peer_silent");
    if (idle) quiet.emplace_back(p->ref, "both_complete");
  }
  for (const auto& [ref, code] : quiet) {
    if (Peer* p = im.s.find(ref)) im.drop(*p, code, false, now);
  }
  im.requester.check_stalls(now);
  im.requester.move_late(now);
  im.settle(now);
  if (im.s.peers.empty()) return std::chrono::seconds(2);
  if (!im.s.knows_layer() && !im.s.pieces.complete()) return std::chrono::milliseconds(5);
  const bool loading = !im.s.pieces.complete();
  const bool offering = im.s.config.origin &&
                        std::any_of(im.s.peers.begin(), im.s.peers.end(),
                                    [](const auto& p) { return p->interested && !p->have.all(); });
  return loading || offering ? Duration(std::chrono::milliseconds(100))
                             : Duration(std::chrono::seconds(2));
}

std::vector<Action> Swarm::take_actions() { return std::exchange(impl_->s.out, {}); }

bool Swarm::complete() const { return impl_->s.pieces.complete(); }
bool Swarm::has(std::uint32_t piece) const { return impl_->s.pieces.has(piece); }
std::uint32_t Swarm::have_count() const { return impl_->s.pieces.have().count(); }

std::uint64_t Swarm::readable_from(std::uint64_t offset) const {
  const auto& meta = impl_->s.config.meta;
  if (offset >= meta.size) return 0;
  const auto piece = static_cast<std::uint32_t>(offset / meta.piece_length);
  const std::uint64_t end =
      std::uint64_t{impl_->s.pieces.have().first_missing(piece)} * meta.piece_length;
  return end <= offset ? 0 : std::min(end, meta.size) - offset;
}

const std::vector<Hash256>& Swarm::layer() const { return impl_->s.layer; }
const SwarmCounts& Swarm::counts() const { return impl_->counts; }
std::size_t Swarm::peer_count() const { return impl_->s.peers.size(); }
std::uint32_t Swarm::pieces_of(PeerRef ref) const {
  const Peer* peer = impl_->s.find(ref);
  return peer == nullptr ? 0 : peer->have.count();
}
bool Swarm::wants(std::uint32_t piece) const { return !impl_->s.pieces.has(piece); }

}  // namespace convoy::swarm::core
