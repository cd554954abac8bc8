#include "swarm/core/late.hpp"

#include <algorithm>
#include <tuple>

namespace convoy::swarm::core {
namespace {

constexpr Duration kLeastLate = std::chrono::milliseconds(200);
constexpr int kLate = 3;

bool all_asked(const State& s) {
  const auto& actives = s.pieces.actives();
  return s.pieces.have().count() + actives.size() == s.pieces.count() &&
         std::all_of(actives.begin(), actives.end(), [](const auto& a) { return a->unasked == 0; });
}

Peer* other_holder(const State& s, const Peer& late, std::uint32_t piece) {
  Peer* best = nullptr;
  const auto key = [](const Peer& p) { return std::tuple(p.open.size(), p.latency.average()); };
  for (const auto& p : s.peers) {
    if (p->info.origin || p->far() || !p->serves(piece)) continue;
    if (p->open.size() >= late.open.size()) continue;
    if (best == nullptr || key(*p) < key(*best)) best = p.get();
  }
  return best;
}

}  // namespace

std::optional<Move> late_request(State& s, Instant now) {
  if (!all_asked(s)) return std::nullopt;
  const auto blocks = s.block_times();
  if (!blocks) return std::nullopt;
  const Duration late = std::max(kLeastLate, kLate * blocks->usual);
  for (const auto& p : s.peers) {
    for (const OpenRequest& r : p->open) {
      if (now - r.asked <= late) break;
      const ActivePiece* active = s.pieces.active(r.piece);
      if (active == nullptr || active->single_source) continue;
      if (Peer* to = other_holder(s, *p, r.piece)) return Move{p.get(), r, to};
    }
  }
  return std::nullopt;
}

}  // namespace convoy::swarm::core
