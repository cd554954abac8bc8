#include "swarm/core/offers.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace convoy::swarm::core {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);
constexpr Duration kAheadTime = std::chrono::milliseconds(20);
/// From an offer to the last block of its piece about as much time goes by again as to the first
/// request.
constexpr int kLatencies = 2;
constexpr std::size_t kFewestOpen = 4;
/// What is offered because offers wait in queues makes the queues longer: without a bound, on a
/// fast link all pieces are soon out at once.
constexpr double kMostInQueues = 1U << 20;
/// From its offer until its node has told of it a piece is under way for some three round trips,
/// two of which on_path() covers.
constexpr std::size_t kPathsAhead = 4;
constexpr double kMostOpen = 1024;
/// Fewer nodes of the own zone do not get all first: their uplinks would feed everybody else.
constexpr std::ptrdiff_t kZoneSpreads = 4;
constexpr Duration kSlow = std::chrono::milliseconds(100);
/// Gains are compared once most nodes have gained so many pieces.
constexpr std::uint32_t kTelling = 16;
/// A busy moment, as when a crowd starts, makes nobody slow.
constexpr std::uint32_t kSlowLooks = 2;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

Duration Offers::piece_time(Instant now) const {
  const double rate = s_.up_rate(now);
  if (rate <= 0) return Duration{0};
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(s_.config.meta.piece_length / rate));
}

void Offers::note_path() {
  std::vector<Duration> all;
  for (const auto& p : s_.peers) {
    if (const auto least = p->uptake.least()) all.push_back(*least);
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() - 1) / 2);
  std::nth_element(all.begin(), middle, all.end());
  path_ = *middle;
}

/// Bytes that the path takes in from an offer to the last block of its piece.
double Offers::on_path(Instant now) const {
  return s_.up_rate(now) * seconds(kLatencies * path_ + kAheadTime);
}

std::size_t Offers::pieces_in(double bytes) const {
  return static_cast<std::size_t>(
      std::min(std::ceil(bytes / s_.config.meta.piece_length), kMostOpen));
}

std::size_t Offers::limit(Instant now) const {
  const Duration queues = std::max(Duration::zero(), uptake_.average() - path_);
  const double waiting = std::min(s_.up_rate(now) * seconds(kLatencies * queues), kMostInQueues);
  return std::max(kFewestOpen, pieces_in(on_path(now) + waiting));
}

/// How long a piece that was asked for may take from its turn on: its peer gets others as well.
Duration Offers::queue_time(Instant now) const {
  return kPatience * static_cast<int>(limit(now)) * piece_time(now);
}

std::size_t Offers::unsent(Instant now) const {
  const auto waits = [now, slow = std::max(kSlow, queue_time(now))](const Offer& o) {
    return o.left > 0 && now - o.progress < slow;
  };
  return static_cast<std::size_t>(std::count_if(offers_.begin(), offers_.end(), waits));
}

/// It was asked for and its peer takes it, but the own uplink sends something else, perhaps of
/// another blob. That is not the peer's fault, and nobody would get it sooner.
bool Offers::waits_here(const Offer& o) const {
  if (o.left == 0 || !o.asked) return false;
  const Peer* peer = s_.find(o.peer);
  return peer != nullptr && !peer->sending &&
         std::any_of(peer->wanted.begin(), peer->wanted.end(),
                     [&](const Wanted& w) { return w.block.piece == o.piece; });
}

std::size_t Offers::open_at(PeerRef peer) const {
  return static_cast<std::size_t>(
      std::count_if(offers_.begin(), offers_.end(),
                    [&](const Offer& o) { return o.peer == peer && o.left > 0; }));
}

bool Offers::open(std::uint32_t piece) const {
  return std::any_of(offers_.begin(), offers_.end(),
                     [&](const Offer& o) { return o.piece == piece; });
}

void Offers::mark_out(std::uint32_t piece) {
  if (out_[piece]) return;
  out_[piece] = true;
  ++out_count_;
}

void Offers::peer_has(Peer& peer, std::uint32_t piece, Instant now) {
  mark_out(piece);
  if (s_.pieces.availability(piece) == 2) {
    for (const auto& p : s_.peers) {
      if (p.get() != &peer && p->have.test(piece)) p->spread = now;
    }
  }
  if (!allowed(peer, piece)) peer.elsewhere = now;
  std::erase_if(offers_, [&](const Offer& o) {
    if (o.piece != piece || (o.peer != peer.ref && o.left > 0)) return false;
    if (o.peer == peer.ref) settling_.add(now - o.made, now);
    return true;
  });
}

void Offers::peer_gone(const Peer& peer) {
  std::erase_if(offers_, [&](const Offer& o) {
    if (o.peer != peer.ref) return false;
    lost_.try_emplace(o.piece, Lost{o.made, 0});
    return true;
  });
}

void Offers::check_lost(const PieceSet& had, Instant now) {
  for (std::uint32_t i = 0; i < had.size(); ++i) {
    if (had.test(i) && s_.pieces.availability(i) == 0)
      lost_.insert_or_assign(i, Lost{now + kLost, 0});
  }
}

void Offers::asked(Peer& peer, std::uint32_t piece, Instant now) {
  for (Offer& o : offers_) {
    if (o.peer != peer.ref || o.piece != piece || o.asked) continue;
    o.asked = true;
    o.progress = now;
    peer.uptake.add(now - o.made, now);
    uptake_.add(now - o.made, now);
    note_path();
    return;
  }
}

void Offers::block_leaves(PeerRef peer, std::uint32_t piece, Instant now) {
  for (Offer& o : offers_) {
    if (o.peer != peer || o.piece != piece || o.left == 0) continue;
    --o.left;
    o.progress = now;
    return;
  }
}

bool Offers::too_far_ahead(Instant now) const {
  const std::size_t most = std::max<std::size_t>(kAhead, kPathsAhead * pieces_in(on_path(now)));
  if (out_count_ < most) return false;
  std::vector<std::uint32_t> counts;
  for (const auto& p : s_.peers) {
    if (!p->info.origin && p->interested) counts.push_back(p->have.count());
  }
  if (counts.empty()) return false;
  const std::size_t at = std::min(counts.size() - 1, counts.size() * 9 / 10);
  std::nth_element(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(at), counts.end());
  return out_count_ >= counts[at] + most;
}

std::optional<std::uint32_t> Offers::next_first_copy(Instant now) {
  for (auto it = lost_.begin(); it != lost_.end();) {
    if (s_.pieces.availability(it->first) > it->second.holders) {
      it = lost_.erase(it);
    } else if (it->second.due <= now && !open(it->first) && receiver(it->first) != nullptr) {
      return it->first;
    } else {
      ++it;
    }
  }
  while (cursor_ < out_.size() && (out_[cursor_] || s_.pieces.availability(cursor_) > 0)) {
    mark_out(cursor_++);
  }
  if (cursor_ == out_.size() || too_far_ahead(now)) return std::nullopt;
  return cursor_;
}

Peer* Offers::receiver(std::uint32_t piece) const {
  const auto near = std::count_if(s_.peers.begin(), s_.peers.end(), [](const auto& p) {
    return !p->info.origin && p->interested && !p->info.other_zone;
  });
  const bool home_first = near >= kZoneSpreads;
  Peer* best = nullptr;
  std::tuple<bool, bool, std::size_t, std::uint64_t> best_key;
  for (const auto& p : s_.peers) {
    if (p->info.origin || !p->interested || p->have.test(piece)) continue;
    const std::tuple key(home_first && p->info.other_zone, p->behind >= kSlowLooks, open_at(p->ref),
                         p->offer_turn);
    if (best == nullptr || key < best_key) {
      best = p.get();
      best_key = key;
    }
  }
  return best;
}

void Offers::offer(Peer& peer, std::uint32_t piece, Instant now) {
  if (peer.offered.size() == 0) peer.offered = PieceSet(s_.pieces.count());
  peer.offered.set(piece);
  peer.offer_turn = ++s_.turn;
  mark_out(piece);
  lost_.erase(piece);
  last_offer_[piece] = now;
  offers_.push_back({piece, peer.ref, now, now, s_.pieces.blocks_in(piece), false});
  s_.send(peer, bt::Have{piece});
}

/// The only copy of a piece would leave a slow link late, and the last pieces hold up everybody.
/// Slow is measured against the middle: few liars do not move that.
void Offers::find_slow() {
  const auto gain = [](const Peer& p) {
    return p.have.count() - std::min(p.have.count(), *p.at_look);
  };
  std::vector<std::uint32_t> gains;
  for (const auto& p : s_.peers) {
    if (p->interested && p->at_look) gains.push_back(gain(*p));
  }
  std::uint32_t middle = kTelling;
  if (!gains.empty()) {
    const auto at = gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
    std::nth_element(gains.begin(), at, gains.end());
    middle = *at;
  }
  if (middle < kTelling) return;
  for (const auto& p : s_.peers) {
    p->behind = p->at_look && gain(*p) < middle / 2 ? p->behind + 1 : 0;
    p->at_look = p->have.count();
  }
}

void Offers::tell(bool giving) {
  if (s_.config.traffic == nullptr || giving == std::exchange(giving_, giving)) return;
  s_.config.traffic->giving += giving ? 1U : -1U;
}

void Offers::pump(Instant now) {
  expire(now);
  tell(out_count_ < out_.size() &&
       std::any_of(
           s_.peers.begin(), s_.peers.end(),
           [](const auto& p) { return !p->info.origin && p->interested; }));
  if (now >= next_look_) {
    next_look_ = now + kLook;
    find_silent_holders(now);
    find_slow();
  }
  const std::size_t most = limit(now);
  while (unsent(now) < most) {
    const auto piece = next_first_copy(now);
    Peer* peer = piece ? receiver(*piece) : nullptr;
    if (peer != nullptr) {
      offer(*peer, *piece, now);
    } else if (!offer_again(now) && !offer_starving(now)) {
      return;
    }
  }
}

}  // namespace convoy::swarm::core
