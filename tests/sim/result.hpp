#pragma once

#include <cstdint>
#include <vector>

namespace convoy::sim {

struct NodeResult {
  std::uint32_t node = 0;
  double start = 0;   ///< seconds
  double first = -1;  ///< first piece verified, seconds after the start
  double done = -1;   ///< all pieces of all layers, seconds after the start
  double layer = 0;   ///< mean over its layers of when all their pieces were there, seconds
  double area = 0;    ///< mean time at which a byte became readable in order, seconds
  double pause = 0;   ///< longest time that its reader of one layer got nothing, seconds
  std::uint64_t redundant = 0;
};

/// Amounts over time, in steps of a hundredth of the ideal time.
struct Curve {
  std::vector<double> steps;
  void add(double share_of_ideal, double amount);
};

struct SwarmResult {
  std::vector<NodeResult> nodes;  ///< those alive at the end
  std::uint64_t origin_bytes = 0;
  std::uint64_t control_bytes = 0;
  std::uint64_t border_bytes = 0;  ///< between zones, both ways, of all kinds
  std::uint64_t bytes = 0;         ///< what each node is to have
  double ideal = 0;                ///< bytes / rate, seconds
  Curve origin;                    ///< bytes that left it, since the beginning
  Curve readable;                  ///< bytes that became readable in order, since each node's start

  bool complete() const;
  double makespan() const;  ///< slowest node / ideal
  double median() const;
  double mean(double NodeResult::* figure) const;  ///< over the nodes, / ideal
  double worst_first() const;
  double worst_pause() const;
  std::uint64_t redundant() const;
};

}  // namespace convoy::sim
