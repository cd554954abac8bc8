#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "sim/options.hpp"
#include "tracker/peers/peer_table.hpp"

namespace convoy::sim {

/// The tracker's own hand-out, without its doors: who it tells of whom. It may be out of reach for
/// some time.
class SimTracker {
 public:
  SimTracker(const SwarmOptions&, Random&);

  void down(Instant from, Instant to) { outages_.emplace_back(from, to); }
  bool up(Instant now) const;

  struct Answer {
    std::vector<std::pair<std::uint32_t, bool>> peers;  ///< node, origin
    std::chrono::seconds interval{30};
    swarm::core::ZonePlace place;
  };
  /// Nothing when it is out of reach.
  std::optional<Answer> call(std::uint32_t node, std::uint32_t zone, std::uint32_t layer,
                             Instant now);

 private:
  tracker::PeerTable table_;
  std::vector<std::pair<Instant, Instant>> outages_;
};

/// The address a node is handed out at, and back.
bt::PeerEndpoint address_of(std::uint32_t node);
std::uint32_t node_at(const bt::PeerEndpoint&);
std::string name_of(std::uint32_t node);

}  // namespace convoy::sim
