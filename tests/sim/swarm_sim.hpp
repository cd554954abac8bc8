#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/options.hpp"
#include "sim/result.hpp"

// A discrete-event simulation of swarms: the engine's own core and the tracker's own hand-out on
// modelled links, in virtual time.
namespace convoy::sim {

class SwarmSim {
 public:
  explicit SwarmSim(SwarmOptions);
  ~SwarmSim();

  /// Nodes are numbered 1..N, the origin is 0. At a time after the beginning:
  void kill(std::uint32_t node, Duration at);
  /// Starts again, empty.
  void revive(std::uint32_t node, Duration at);
  /// Starts at this time instead of within the spread.
  void start_at(std::uint32_t node, Duration at);
  void set_rate(std::uint32_t node, std::uint64_t rate);
  /// Every block this node sends is wrong.
  void corrupt(std::uint32_t node);
  /// These two never connect.
  void cut(std::uint32_t a, std::uint32_t b);
  /// Nobody gets an answer of the tracker.
  void tracker_down(Duration from, Duration to);

  SwarmResult run();
  /// Who was reported, in the order of the reports.
  const std::vector<std::string>& reported() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::sim
