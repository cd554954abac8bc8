#include "sim/result.hpp"

#include <algorithm>

namespace convoy::sim {
namespace {

constexpr double kSteps = 100;         // of a Curve, for the ideal time
constexpr double kMostSteps = 10'000;  // a run that takes longer ends in the last one

}  // namespace

void Curve::add(double share_of_ideal, double amount) {
  const auto at =
      static_cast<std::size_t>(std::clamp(share_of_ideal * kSteps, 0.0, kMostSteps - 1));
  if (at >= steps.size()) steps.resize(at + 1);
  steps[at] += amount;
}

bool SwarmResult::complete() const {
  return std::all_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.done >= 0; });
}

double SwarmResult::makespan() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.done < 0 ? 1e9 : n.done);
  return worst / ideal;
}

double SwarmResult::median() const {
  if (nodes.empty()) return 0;
  std::vector<double> all;
  for (const auto& n : nodes) all.push_back(n.done < 0 ? 1e9 : n.done);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle / ideal;
}

double SwarmResult::mean(double NodeResult::* figure) const {
  double sum = 0;
  for (const auto& n : nodes) sum += n.*figure;
  return nodes.empty() ? 0 : sum / static_cast<double>(nodes.size()) / ideal;
}

double SwarmResult::worst_first() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.first);
  return worst;
}

double SwarmResult::worst_pause() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.pause);
  return worst;
}

std::uint64_t SwarmResult::redundant() const {
  std::uint64_t sum = 0;
  for (const auto& n : nodes) sum += n.redundant;
  return sum;
}

}  // namespace convoy::sim
