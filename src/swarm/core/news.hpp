#pragma once

#include <cstdint>
#include <vector>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// How long a piece may be kept back for the company of others: here, and by neighbours who get
/// theirs as fast.
Duration news_wait(const State&, Instant now);

/// Tells the peers of pieces. A record costs both sides more than its bytes do, so news wait for
/// each other, unless somebody waits for them.
class News {
 public:
  explicit News(State& s) : s_(s) {}

  /// What the tracker says of the own zone, each time it does.
  void set_zone(std::uint32_t nodes) {
    nodes_ = nodes;
    ++told_;
  }
  /// Tells one peer of a piece that is here, or promised.
  void tell(Peer&, std::uint32_t piece, Instant now);
  /// After the piece was put on the table, to all but those that know already; the last one also
  /// ends the interest in others' pieces.
  void gained(std::uint32_t piece, const std::vector<PeerRef>& know, Instant now);

 private:
  bool few_nodes() const;
  Duration wait(const Peer&, std::uint32_t piece, Duration company) const;

  State& s_;
  std::uint32_t nodes_ = 0;
  std::uint32_t told_ = 0;
};

}  // namespace convoy::swarm::core
