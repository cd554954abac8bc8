#include "swarm/core/layer_fetch.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

#include "swarm/core/limits.hpp"
#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

/// After this time another one is asked as well; after the second one the first may be asked again.
constexpr Duration kPatience = std::chrono::seconds(1);
constexpr Duration kLastPatience = std::chrono::seconds(3);
/// After this time neighbours are asked as well as the origin, whose uplink is the busiest.
constexpr Duration kOriginPatience = std::chrono::milliseconds(50);
constexpr Duration kRetry = std::chrono::milliseconds(20);
constexpr Duration kLastRetry = std::chrono::seconds(1);
/// So many refusals say that others were quicker; more, that the peer is long in computing.
constexpr unsigned kQuickRetries = 16;
/// How long a neighbour has to show that it has the layer before the origin is asked; shorter
/// as long as no neighbour is there.
constexpr Duration kOriginLater = std::chrono::milliseconds(20);
constexpr Duration kOriginAlone = std::chrono::milliseconds(4);
/// Rows asked of one neighbour at once: as many as its connection's first round trips bring, and
/// one more for each that it gave.
constexpr std::size_t kFirstRows = 2;

Duration retry_after(unsigned refusals) {
  const unsigned doublings = refusals - std::min(refusals, kQuickRetries);
  return std::min(kLastRetry, kRetry * (1 << std::min(doublings, 6U)));
}

}  // namespace

bool LayerFetch::Part::fresh(Instant now, Duration patience) const {
  return !asks.empty() && now - asks.back().at < patience;
}

bool LayerFetch::Part::asked_of(PeerRef peer) const {
  return std::any_of(asks.begin(), asks.end(), [&](const Ask& a) { return a.peer == peer; });
}

bool LayerFetch::Part::forget(PeerRef peer) {
  return std::erase_if(asks, [peer](const Ask& a) { return a.peer == peer; }) > 0;
}

LayerFetch::LayerFetch(State& s) : s_(s) {
  const auto& meta = s.config.meta;
  const std::uint32_t count = s.pieces.count();
  const auto width = static_cast<std::uint32_t>(bt::round_up_pow2(count));
  whole_.span = {meta.pieces_root, bt::layer_height(meta), 0, width, 0};
  if (width <= kRowHashes) {
    rows_.push_back(whole_);
    return;
  }
  const auto proof = static_cast<std::uint32_t>(std::bit_width(width)) - 2;
  for (std::uint32_t at = 0; at < count; at += kRowHashes) {
    const std::uint32_t left = std::clamp(count - at, 2U, kRowHashes);
    const auto length = static_cast<std::uint32_t>(bt::round_up_pow2(left));
    rows_.push_back({{meta.pieces_root, whole_.span.base_layer, at, length, proof}, {}, false});
  }
}

std::size_t LayerFetch::open_at(PeerRef peer) const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [&](const Part& row) { return row.asked_of(peer); }));
}

/// Who has the fewest pieces has the least else to send.
Peer* LayerFetch::neighbour_for(const Part& row, Instant now) const {
  using Key = std::tuple<bool, std::size_t, int, std::uint64_t>;
  Peer* best = nullptr;
  Key best_key;
  for (const auto& p : s_.peers) {
    const bool knows = p->said_have && (p->interested || p->have.count() > 0);
    if (p->info.origin || !knows || now < p->layer_retry || row.asked_of(p->ref)) continue;
    const std::size_t open = open_at(p->ref);
    if (open >= kFirstRows + p->rows_given) continue;
    const Key key(p->far(), open, std::bit_width(p->have.count()), mix(s_.config.seed ^ ++s_.turn));
    if (best == nullptr || key < best_key) {
      best = p.get();
      best_key = key;
    }
  }
  return best;
}

Peer* LayerFetch::origin(Instant now) const {
  const Duration patience = s_.peers.size() > 1 ? kOriginLater : kOriginAlone;
  Peer* best = nullptr;
  std::uint64_t best_key = 0;
  for (const auto& p : s_.peers) {
    if (!p->info.origin || !p->said_have || now < p->layer_retry) continue;
    if (now - p->connected < patience) continue;
    const std::uint64_t key = mix(s_.config.seed ^ ++s_.turn);
    if (best == nullptr || key < best_key) {
      best = p.get();
      best_key = key;
    }
  }
  return best;
}

void LayerFetch::ask(Part& part, Peer& peer, Instant now) {
  part.asks.push_back({peer.ref, now});
  s_.send(peer, bt::HashRequest{part.span});
}

void LayerFetch::forget_old(Part& part, Instant now) {
  const auto end = std::find_if(part.asks.begin(), part.asks.end(),
                                [&](const Ask& a) { return now - a.at < kLastPatience; });
  std::for_each(part.asks.begin(), end, [&](const Ask& a) {
    if (Peer* slow = s_.find(a.peer)) slow->layer_retry = now + kLastPatience;
  });
  part.asks.erase(part.asks.begin(), end);
}

void LayerFetch::pump(Instant now) {
  forget_old(whole_, now);
  if (whole_.fresh(now, kOriginPatience)) return;
  bool fresh = false;
  for (Part& row : rows_) {
    forget_old(row, now);
    if (row.known) continue;
    if (!row.fresh(now, kPatience)) {
      if (Peer* peer = neighbour_for(row, now)) ask(row, *peer, now);
    }
    fresh = fresh || row.fresh(now, kPatience);
  }
  if (fresh || !whole_.asks.empty()) return;
  if (Peer* peer = origin(now)) ask(whole_, *peer, now);
}

bool LayerFetch::take(Part& part, const std::vector<Hash256>& hashes) {
  const std::uint32_t length = part.span.length;
  if (hashes.size() != length + bt::uncle_count(part.span)) return false;
  const std::span<const Hash256> all(hashes);
  const Hash256 root =
      bt::root_above(all.first(length), part.span.index, all.subspan(length), s_.config.pair);
  if (root != s_.config.meta.pieces_root) return false;
  layer_.resize(s_.pieces.count());
  const std::size_t count = std::min<std::size_t>(length, layer_.size() - part.span.index);
  std::copy_n(hashes.begin(), count, layer_.begin() + part.span.index);
  part.known = true;
  return true;
}

/// What this peer was asked for with this span, and is no more; null: nothing.
LayerFetch::Part* LayerFetch::settled(PeerRef peer, const bt::HashSpan& span) {
  const auto asked = [&](Part& part) { return part.span == span && part.forget(peer); };
  if (asked(whole_)) return &whole_;
  const auto row = std::find_if(rows_.begin(), rows_.end(), asked);
  return row == rows_.end() ? nullptr : &*row;
}

LayerFetch::Answer LayerFetch::answered(Peer& peer, const bt::Hashes& m) {
  Part* part = settled(peer.ref, m.span);
  if (part == nullptr || s_.knows_layer()) return Answer::unasked;
  if (!take(*part, m.hashes)) return Answer::wrong;
  ++peer.rows_given;
  const bool all = whole_.known || std::all_of(rows_.begin(), rows_.end(),
                                               [](const Part& row) { return row.known; });
  if (!all) return Answer::row;
  s_.layer = std::move(layer_);
  return Answer::layer;
}

void LayerFetch::refused(Peer& peer, const bt::HashSpan& span, Instant now) {
  if (settled(peer.ref, span) == nullptr) return;
  // Rows that were asked for together are refused together.
  if (now >= peer.layer_retry) ++peer.layer_refusals;
  // Another node may have it by then; which one is asked next differs from node to node.
  peer.layer_retry = now + retry_after(peer.layer_refusals) +
                     std::chrono::milliseconds(mix(s_.config.seed ^ ++s_.turn) % 20);
}

void LayerFetch::peer_gone(PeerRef peer) {
  whole_.forget(peer);
  for (Part& row : rows_) row.forget(peer);
}

}  // namespace convoy::swarm::core
