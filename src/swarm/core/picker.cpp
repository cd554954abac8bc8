#include "swarm/core/picker.hpp"

#include <algorithm>
#include <tuple>

#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

Peer* best_holder(const State& s, std::span<Peer* const> free, std::uint32_t piece,
                  const ActivePiece* active) {
  Peer* best = nullptr;
  const bool cross = s.border.holders(piece) > 0 && s.may_cross(piece);
  for (Peer* p : free) {
    if (!p->have.test(piece)) continue;
    const bool bound = active != nullptr && active->single_source && active->source != 0;
    if (bound ? active->source != p->ref : p->far() && !cross) continue;
    if (best == nullptr || std::tuple(p->stalled, p->open.size(), p->asked) <
                               std::tuple(best->stalled, best->open.size(), best->asked)) {
      best = p;
    }
  }
  return best;
}

/// A choice for this piece if a block of it is left to ask for.
std::optional<Choice> try_piece(State& s, std::span<Peer* const> free, std::uint32_t piece,
                                bool may_start) {
  if (s.pieces.has(piece) || s.pieces.availability(piece) == 0) return std::nullopt;
  const ActivePiece* active = s.pieces.active(piece);
  if (active == nullptr ? !may_start : active->unasked == 0) return std::nullopt;
  Peer* peer = best_holder(s, free, piece, active);
  if (peer == nullptr) return std::nullopt;
  return Choice{piece, peer};
}

std::uint32_t urgent_pieces(const State& s, Instant now) {
  const double bytes =
      std::clamp<double>(s.down_rate(now) * std::chrono::duration<double>(kUrgentTime).count(),
                         kUrgentBytes, kMostUrgentBytes);
  return std::max(kUrgentPieces, static_cast<std::uint32_t>(bytes / s.config.meta.piece_length));
}

std::optional<Choice> urgent(State& s, std::span<Peer* const> free, bool may_start, Instant now) {
  for (const auto& [reader, offset] : s.readers) {
    const auto at = static_cast<std::uint32_t>(offset / s.config.meta.piece_length);
    const std::uint32_t first = s.pieces.have().first_missing(at);
    const std::uint32_t end = std::min(first + urgent_pieces(s, now), s.pieces.count());
    for (std::uint32_t piece = first; piece < end; ++piece) {
      if (auto c = try_piece(s, free, piece, may_start)) return c;
    }
  }
  return std::nullopt;
}

std::optional<Choice> begun(State& s, std::span<Peer* const> free) {
  for (const auto& active : s.pieces.actives()) {
    if (active->verifying || active->unasked == 0) continue;
    if (Peer* peer = best_holder(s, free, active->piece, active.get())) {
      return Choice{active->piece, peer};
    }
  }
  return std::nullopt;
}

/// Whoever is connected has everything: there is nobody to trade with, and order is worth more.
bool only_seeds(const State& s) {
  return std::all_of(s.peers.begin(), s.peers.end(),
                     [&](const auto& p) { return p->info.origin || p->have.all(); });
}

/// From where on the next piece to begin is the first one in order: every second time. Nothing
/// when it is the rarest.
std::optional<std::uint32_t> in_order_from(const State& s) {
  const bool second = (s.pieces.have().count() + s.pieces.actives().size()) % 2 == 0;
  const bool reads = !s.readers.empty() && second;
  if (!reads && !only_seeds(s)) return std::nullopt;
  std::uint64_t at = s.readers.empty() ? 0 : s.config.meta.size;
  for (const auto& [reader, offset] : s.readers) at = std::min(at, offset);
  return static_cast<std::uint32_t>(at / s.config.meta.piece_length);
}

using Rank = std::pair<std::uint64_t, std::uint64_t>;

/// Least is asked for first; nothing for what only other zones have and is not this node's to
/// fetch. What is, comes before all that somebody at home has, in the order it could be had. What
/// lies before the place of reading comes last.
std::optional<Rank> rank(const State& s, std::uint32_t piece, std::optional<std::uint32_t> from) {
  const std::uint32_t holders = s.pieces.availability(piece);
  if (s.border.any() && holders == s.border.holders(piece)) {
    if (!s.border.mine(piece)) return std::nullopt;
    return Rank(0, s.border.order(piece, s.config.seed));
  }
  return from ? Rank(piece < *from ? 2 : 1, piece) : Rank(holders, mix(s.config.seed ^ piece));
}

std::optional<Choice> fresh(State& s, std::span<Peer* const> free) {
  std::optional<Choice> best;
  Rank best_key;
  const auto from = in_order_from(s);
  for (const std::uint32_t piece : s.pieces.candidates()) {
    const auto key = rank(s, piece, from);
    if (!key || (best && *key >= best_key)) continue;
    if (Peer* peer = best_holder(s, free, piece, nullptr)) {
      best = Choice{piece, peer};
      best_key = *key;
    }
  }
  return best;
}

}  // namespace

std::optional<Choice> choose(State& s, std::span<Peer* const> free, bool may_start, Instant now) {
  if (auto c = urgent(s, free, may_start, now)) return c;
  if (auto c = begun(s, free)) return c;
  if (!may_start) return std::nullopt;
  return fresh(s, free);
}

}  // namespace convoy::swarm::core
