#pragma once

#include <optional>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// A request that is to be made of another peer instead.
struct Move {
  Peer* from = nullptr;
  OpenRequest request;
  Peer* to = nullptr;
};

/// Once all that is missing is asked for, everything waits for the slowest answer: a request that
/// takes more than three times what blocks take on average, while somebody else has the piece and
/// owes this node less. Before that a late block costs nothing, and one that is on its way already
/// comes twice (ADR 13).
std::optional<Move> late_request(State&, Instant now);

}  // namespace convoy::swarm::core
