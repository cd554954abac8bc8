#include "swarm/core/promises.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

/// Of the neighbours half are told, and no more than the own uplink serves while others could: if
/// all asked here, nobody would take the piece from them.
constexpr std::size_t kMostTold = 8;

}  // namespace

bool Promises::made(std::uint32_t piece) const {
  return std::ranges::find(promises_, piece, &Promise::piece) != promises_.end();
}

std::vector<std::uint32_t> Promises::asked_of_origins() const {
  std::vector<std::uint32_t> pieces;
  for (const auto& p : s_.peers) {
    if (!p->info.origin) continue;
    for (const OpenRequest& r : p->open) {
      if (pieces.empty() || pieces.back() != r.piece) pieces.push_back(r.piece);
    }
  }
  return pieces;
}

/// To those that have most: they wait for what is new, others for their links.
void Promises::make(std::uint32_t piece, Instant now) {
  using Key = std::pair<std::uint32_t, std::uint64_t>;
  std::vector<std::pair<Key, Peer*>> all;
  for (const auto& p : s_.peers) {
    if (p->info.origin || p->far() || !p->interested || p->have.test(piece)) continue;
    all.push_back({{p->have.count(), mix(s_.config.seed ^ ++s_.turn)}, p.get()});
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  all.resize(std::min(kMostTold, (all.size() + 1) / 2));
  Promise& promise = promises_.emplace_back(Promise{piece, {}});
  for (const auto& [key, peer] : all) {
    promise.to.push_back(peer->ref);
    news_.tell(*peer, piece, now);
  }
}

void Promises::look(Instant now) {
  if (s_.pieces.complete() && promises_.empty()) return;
  const std::vector<std::uint32_t> asked = asked_of_origins();
  std::erase_if(promises_, [&](const Promise& p) {
    const ActivePiece* active = s_.pieces.active(p.piece);
    if (active != nullptr && active->verifying) return false;
    if (std::find(asked.begin(), asked.end(), p.piece) != asked.end()) return false;
    uploader_.refuse_early(p.piece);
    return true;
  });
  if (s_.yields()) return;  // what is asked for then is long in coming
  for (const std::uint32_t piece : asked) {
    // What came wrong once may do so again.
    if (!made(piece) && !s_.failed_before.contains(piece)) make(piece, now);
  }
}

std::vector<PeerRef> Promises::kept(std::uint32_t piece, Instant now) {
  const auto it = std::ranges::find(promises_, piece, &Promise::piece);
  if (it == promises_.end()) return {};
  std::vector<PeerRef> to = std::move(it->to);
  promises_.erase(it);
  uploader_.serve_early(piece, now);
  return to;
}

}  // namespace convoy::swarm::core
