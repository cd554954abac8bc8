#pragma once

#include <cstdint>
#include <vector>

#include "swarm/core/types.hpp"

namespace convoy::sim {

using swarm::core::Instant;

/// What a run is made of. The same options, the same result.
struct SwarmOptions {
  std::uint32_t nodes = 8;
  std::uint64_t rate = 2'500'000;  ///< bytes/s of each link, up and down alike
  std::uint64_t origin_rate = 0;   ///< 0: the same
  std::uint64_t size = 64ULL << 20;
  std::uint32_t piece_length = 64 << 10;
  /// Several blobs of one image, each a swarm of its own over the same links. Empty: one, of
  /// `size` and `piece_length`.
  std::vector<std::uint64_t> layers;
  std::uint32_t degree = 10;        ///< everybody to everybody up to degree + 1 nodes
  std::uint32_t origin_links = 64;  ///< nodes that are linked to the origin, and the first 16
  /// Nodes are dealt out to so many zones in turn; the origin stands in the first.
  std::uint32_t zones = 1;
  std::uint64_t border_rate = 0;  ///< bytes/s between two zones, each way; 0: without limit
  Duration delay = std::chrono::microseconds(200);  ///< one way
  Duration jitter{};  ///< mean of what is added to the delay, at random up to twice as much
  /// Share of packets that are lost: a link carries that much less, and a connection no more than
  /// a TCP that is slowed down by these losses.
  double loss = 0;
  /// Mean time that a node takes to get at a message, at random up to twice as much: busy machines.
  Duration react{};
  /// A message waits behind what the two links have before it, as in the queues of routers;
  /// else it overtakes the data.
  bool queues = false;
  Duration verify = std::chrono::milliseconds(1);
  Duration spread = std::chrono::seconds(1);  ///< nodes start at random within it
  std::uint64_t seed = 1;
  Duration limit = std::chrono::hours(1);
};

}  // namespace convoy::sim
