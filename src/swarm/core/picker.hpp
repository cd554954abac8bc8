#pragma once

#include <optional>
#include <span>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

struct Choice {
  std::uint32_t piece = 0;
  Peer* peer = nullptr;
};

/// The piece whose next block is asked for, and of whom among `free` (peers that may be asked
/// one more block). First the few pieces a reader needs next, then pieces already begun. Those
/// begun after that are in turns the next in a reader's order and the rarest among the neighbours,
/// ties by a number that differs from node to node (ADR 15); all in order while all neighbours have
/// everything. Of its holders the one with the fewest open requests, then the one asked longest
/// ago. `may_start`: whether another piece may be begun.
std::optional<Choice> choose(State&, std::span<Peer* const> free, bool may_start, Instant now);

/// What is asked for before all else from a reader's position on: what comes in so much time,
/// within these bounds, and at least so many pieces. With less than comes while an answer is on its
/// way the reader would wait for each; more costs the variety that nodes trade with.
inline constexpr Duration kUrgentTime = std::chrono::milliseconds(125);
inline constexpr std::uint32_t kUrgentBytes = 256 * 1024;
inline constexpr std::uint32_t kMostUrgentBytes = 1024 * 1024;
inline constexpr std::uint32_t kUrgentPieces = 4;

}  // namespace convoy::swarm::core
