#include <algorithm>

#include "swarm/core/offers.hpp"

// What is offered more than once.
namespace convoy::swarm::core {
namespace {

/// Nodes that are late on purpose must not keep pieces from the others for long.
constexpr Duration kMostSettling = std::chrono::seconds(8);
constexpr Duration kStarving = std::chrono::seconds(2);
constexpr Duration kSilentHolder = std::chrono::seconds(3);
constexpr int kSilentPieces = 100;
/// Of so many pieces one may leave twice: the goal is at most 1.02 of a blob leaves.
constexpr std::size_t kAgainShare = 64;

}  // namespace

void Offers::expire(Instant now) {
  for (Offer& o : offers_) {
    if (waits_here(o)) o.progress = now;
  }
  // Where links are full all of them take long: to offer what is on its way to others would fill
  // them even more.
  const Duration settling = std::min(2 * settling_.average(), kMostSettling);
  const Duration wait = std::max({kLost, kPatience * piece_time(now), settling});
  const Duration to_send = std::max(wait, std::min(queue_time(now), kMostSettling));
  std::erase_if(offers_, [&](const Offer& o) {
    if (now - o.progress < (o.asked && o.left > 0 ? to_send : wait)) return false;
    if (s_.pieces.availability(o.piece) == 0) lost_.try_emplace(o.piece, Lost{now, 0});
    return true;
  });
}

bool Offers::offer_starving(Instant now) {
  const Duration wait = std::max(kStarving, 8 * piece_time(now));
  for (const auto& p : s_.peers) {
    if (p->info.origin || !p->interested || p->have.all() || now - p->elsewhere < wait) continue;
    if (open_at(p->ref) >= limit(now)) continue;
    std::uint32_t piece = p->have.first_missing(0);
    // What is on its way to another node, or got there a moment ago, may still come from there.
    const auto taken = [&] {
      return (last_offer_[piece] != Instant{} && now - last_offer_[piece] < kLost) || open(piece);
    };
    while (piece < out_.size() && taken()) piece = p->have.first_missing(piece + 1);
    if (piece == out_.size()) continue;
    offer(*p, piece, now);
    return true;
  }
  return false;
}

/// A node that nobody takes pieces from (it lies, or cannot be reached) keeps them from the
/// swarm: they are offered to another one. On slow links a piece waits long for the others that its
/// only holder is asked for.
void Offers::find_silent_holders(Instant now) {
  const Duration wait = std::max(kSilentHolder, kSilentPieces * piece_time(now));
  for (const auto& p : s_.peers) {
    if (p->info.origin || now - std::max(p->spread, p->connected) < wait) continue;
    for (std::uint32_t i = 0; i < out_.size(); ++i) {
      if (s_.pieces.availability(i) != 1 || !p->have.test(i) || open(i)) continue;
      if (now - last_offer_[i] < wait) continue;
      lost_.try_emplace(i, Lost{now, 1});
    }
  }
}

/// Who would be done last, counted from its start.
Peer* Offers::first_begun(std::uint32_t piece, Instant now) const {
  Peer* best = nullptr;
  Instant best_key{};
  const Duration each = piece_time(now);
  for (const auto& p : s_.peers) {
    if (p->info.origin || p->info.other_zone || !p->interested || p->behind > 0) continue;
    if (p->have.test(piece) || allowed(*p, piece)) continue;
    if (p->have.count() + kAhead < s_.pieces.count()) continue;
    const Instant key = p->began + static_cast<int>(open_at(p->ref)) * each;
    if (best == nullptr || key < best_key) {
      best = p.get();
      best_key = key;
    }
  }
  return best;
}

bool Offers::offer_again(Instant now) {
  if (out_count_ < out_.size() || again_.size() >= out_.size() / kAgainShare) return false;
  if (s_.config.traffic != nullptr && s_.config.traffic->giving > 0) return false;
  for (const Offer& o : offers_) {
    if (again_.contains(o.piece) || s_.pieces.availability(o.piece) > 0) continue;
    Peer* peer = first_begun(o.piece, now);
    if (peer == nullptr) continue;
    again_.insert(o.piece);
    offer(*peer, o.piece, now);
    return true;
  }
  return false;
}

}  // namespace convoy::swarm::core
