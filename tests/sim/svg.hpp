#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/options.hpp"
#include "sim/result.hpp"

namespace convoy::sim {

/// One curve in a frame of its own, axes from 0.
struct Plot {
  std::string title, x_title, y_title;
  std::vector<std::pair<double, double>> points;
};

/// Plots side by side, as a document that browsers show.
std::string to_svg(const std::string& heading, const std::vector<Plot>&);

/// Of one run: share of nodes that are done, share of bytes readable in order, bytes that left the
/// origin, each over time.
std::vector<Plot> plots_of(const SwarmOptions&, const SwarmResult&);

}  // namespace convoy::sim
