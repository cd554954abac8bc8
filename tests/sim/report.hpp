#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/options.hpp"
#include "sim/result.hpp"

namespace convoy::sim {

/// The figures of one run.
struct Row {
  std::uint64_t seed = 0;
  bool complete = false;
  double ratio = 0;       ///< slowest node, over bytes / rate
  double fast_ratio = 0;  ///< of the nodes that nothing was done to
  double late_ratio = 0;  ///< of the nodes of a second wave; 0: there is none
  double layer = 0;       ///< when a layer is there, on average, over all bytes / rate
  double median = 0, area = 0, first = 0, pause = 0;
  double origin = 0;  ///< copies that left it
  double border =
      0;  ///< copies that crossed between zones, both ways, headers of messages included
  double redundant = 0, control = 0;  ///< shares of all bytes
  double seconds = 0;                 ///< of this machine
};

/// Which nodes something is done to.
struct Marked {
  std::vector<bool> troubled, late;  ///< by node
};

Row row_of(const SwarmOptions&, const SwarmResult&, const Marked&, double seconds);

void print_head();
void print_row(const Row&);
void print_nodes(const SwarmResult&);
/// The last line: medians over the rows, `worst` over all.
void print_summary(const SwarmOptions&, std::vector<Row>);
/// The same as one JSON object.
std::string to_json(const SwarmOptions&, const std::vector<Row>&);

}  // namespace convoy::sim
