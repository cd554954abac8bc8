#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "swarm/core/swarm.hpp"

// A discrete-event simulation of one swarm: the engine's own core on modelled links, in virtual
// time. Same options, same result.
namespace convoy::sim {

using swarm::core::Instant;

struct SwarmOptions {
  std::uint32_t nodes = 8;
  std::uint64_t rate = 2'500'000;  ///< bytes/s of each link, up and down alike
  std::uint64_t origin_rate = 0;   ///< 0: the same
  std::uint64_t size = 64ULL << 20;
  std::uint32_t piece_length = 64 << 10;
  std::uint32_t degree = 10;  ///< everybody to everybody up to degree + 1 nodes
  std::uint32_t origin_links = 64;
  Duration delay = std::chrono::microseconds(200);  ///< one way
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

struct NodeResult {
  double start = 0;   ///< seconds
  double first = -1;  ///< first piece verified, seconds after the start
  double done = -1;   ///< all pieces, seconds after the start
  double area = 0;    ///< mean time at which a byte became readable in order, seconds
  double pause = 0;   ///< longest time that a reader in order got nothing, seconds
  std::uint64_t redundant = 0;
};

struct SwarmResult {
  std::vector<NodeResult> nodes;
  std::uint64_t origin_bytes = 0;
  std::uint64_t control_bytes = 0;
  double ideal = 0;  ///< size / rate, seconds
  bool complete() const;
  double makespan() const;  ///< slowest node / ideal
  double median() const;
  double area() const;  ///< mean over nodes / ideal
  double worst_first() const;
  double worst_pause() const;
  std::uint64_t redundant() const;
};

class SwarmSim {
 public:
  explicit SwarmSim(SwarmOptions);
  ~SwarmSim();

  /// Nodes are numbered 1..N, the origin is 0. At a time after the beginning:
  void kill(std::uint32_t node, Duration at);
  /// Starts again, empty, with its old neighbours.
  void revive(std::uint32_t node, Duration at);
  /// Starts at this time instead of within the spread.
  void start_at(std::uint32_t node, Duration at);
  void set_rate(std::uint32_t node, std::uint64_t rate);
  /// Every block this node sends is wrong.
  void corrupt(std::uint32_t node);
  /// These two never connect.
  void cut(std::uint32_t a, std::uint32_t b);

  SwarmResult run();
  /// Who was reported, in the order of the reports.
  const std::vector<std::string>& reported() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::sim
