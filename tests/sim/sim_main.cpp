// convoy-sim: swarms on modelled links, by options. One line for each seed, then a summary.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sim/swarm_sim.hpp"

namespace {

using convoy::Duration;
using convoy::sim::SwarmOptions;
using convoy::sim::SwarmResult;
using convoy::sim::SwarmSim;

struct Args {
  double mbit = 20, origin_mbit = 0, mib = 64, delay_ms = 0.2, react_ms = 0, spread_ms = 1000;
  std::uint32_t piece_kib = 0, seeds = 1;
  std::uint64_t seed = 1;
  double slow = 0, slow_mbit = 0, churn = 0, away = 2, late = 0, late_at = 0.5;
  std::uint32_t liars = 0;
  bool verbose = false;
};

/// One figure of all seeds, for the median.
struct Row {
  double ratio, median, area, first, pause, origin, redundant, control;
};

Duration of_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

/// What happens beside the plain flash crowd; the last nodes are the slow, late or lying ones.
void trouble(SwarmSim& sim, const Args& a, const SwarmOptions& o) {
  convoy::SeededRandom random(o.seed ^ 0x7269736b);
  const double ideal = static_cast<double>(o.size) / static_cast<double>(o.rate);
  const auto share = [&](double f) {
    return static_cast<std::uint32_t>(f * static_cast<double>(o.nodes));
  };
  for (std::uint32_t i = 0; i < share(a.slow); ++i) {
    sim.set_rate(o.nodes - i, static_cast<std::uint64_t>(a.slow_mbit * 125'000));
  }
  for (std::uint32_t i = 0; i < share(a.late); ++i) {
    const double spread = a.spread_ms / 1000 * static_cast<double>(random.below(1000)) / 1000;
    sim.start_at(o.nodes - i, of_seconds(ideal * a.late_at + spread));
  }
  for (std::uint32_t i = 0; i < a.liars && i < o.nodes; ++i) sim.corrupt(o.nodes - i);
  const double deaths = a.churn * static_cast<double>(o.nodes) * ideal / 60;
  for (double n = 0; n < deaths; ++n) {
    const auto node = static_cast<std::uint32_t>(1 + random.below(o.nodes));
    const double at = 1 + ideal * static_cast<double>(random.below(1000)) / 1000;
    sim.kill(node, of_seconds(at));
    sim.revive(node, of_seconds(at + a.away));
  }
}

Row run(const Args& a, SwarmOptions o, std::uint32_t n, bool& complete) {
  o.seed = a.seed + n;
  SwarmSim sim(o);
  trouble(sim, a, o);
  const auto begin = std::chrono::steady_clock::now();
  const SwarmResult r = sim.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto size = static_cast<double>(o.size);
  const double all = size * o.nodes;
  const Row row{r.makespan(),
                r.median(),
                r.area(),
                r.worst_first(),
                r.worst_pause(),
                static_cast<double>(r.origin_bytes) / size,
                static_cast<double>(r.redundant()) / all,
                static_cast<double>(r.control_bytes) / all};
  complete = complete && r.complete();
  std::printf(
      "seed %-4llu %s ratio %.3f median %.3f area %.3f ttfb %.3f s pause %.3f s origin %.3f "
      "redundant %.4f "
      "control %.4f, %.1f s\n",
      static_cast<unsigned long long>(o.seed), r.complete() ? "complete" : "INCOMPLETE", row.ratio,
      row.median, row.area, row.first, row.pause, row.origin, row.redundant, row.control,
      took.count());
  if (a.verbose) {
    for (const auto& node : r.nodes) {
      std::printf("  start %.3f s first %.3f s done %.4f area %.4f\n", node.start, node.first,
                  node.done / r.ideal, node.area / r.ideal);
    }
  }
  std::fflush(stdout);
  return row;
}

double median_of(std::vector<Row>& rows, double Row::* figure) {
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  std::nth_element(rows.begin(), middle, rows.end(),
                   [figure](const Row& x, const Row& y) { return x.*figure < y.*figure; });
  return (*middle).*figure;
}

}  // namespace

int main(int argc, char** argv) {
  Args a;
  SwarmOptions o;
  o.nodes = 32;
  CLI::App app{
      "One swarm of the engine's own core on modelled links, in virtual time. Ratios are against "
      "size / rate, from each node's own start, block framing excluded. The same options and seed "
      "give the same run.",
      "convoy-sim"};
  app.option_defaults()->always_capture_default();
  app.add_option("--nodes", o.nodes, "downloading nodes, beside the origin")
      ->check(CLI::Range(1, 20000));
  app.add_option("--mbit", a.mbit, "rate of each link, each way, in Mbit/s");
  app.add_option("--origin-mbit", a.origin_mbit, "of the origin's link; 0: the same");
  app.add_option("--mib", a.mib, "size of the blob in MiB");
  app.add_option("--piece-kib", a.piece_kib, "piece length; 0: by the blob's size");
  app.add_option("--degree", o.degree, "neighbours of a node");
  app.add_option("--origin-links", o.origin_links, "nodes that the origin is linked to");
  app.add_option("--delay-ms", a.delay_ms, "one way");
  app.add_option("--react-ms", a.react_ms, "mean time to get at a message, of busy machines");
  app.add_flag("--queues", o.queues, "messages wait behind data in the links' queues");
  app.add_option("--spread-ms", a.spread_ms, "within which nodes start; 0: together");
  app.add_option("--slow", a.slow, "share of nodes with slow links")->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow-mbit", a.slow_mbit, "their rate; 0: a quarter");
  app.add_option("--late", a.late, "share of nodes that start later")->check(CLI::Range(0.0, 1.0));
  app.add_option("--late-at", a.late_at, "when, as a share of size / rate");
  app.add_option("--churn", a.churn, "share of nodes that die in a minute, their disk lost");
  app.add_option("--away", a.away, "seconds until they are back");
  app.add_option("--liars", a.liars, "nodes that send wrong bytes");
  app.add_option("--seed", a.seed, "the first");
  app.add_option("--seeds", a.seeds, "how many runs")->check(CLI::PositiveNumber);
  app.add_flag("--verbose", a.verbose, "a line for each node");
  CLI11_PARSE(app, argc, argv);
  if (a.slow_mbit == 0) a.slow_mbit = a.mbit / 4;
  o.rate = static_cast<std::uint64_t>(a.mbit * 125'000);
  o.origin_rate = static_cast<std::uint64_t>(a.origin_mbit * 125'000);
  o.size = static_cast<std::uint64_t>(a.mib * (1 << 20));
  o.piece_length = a.piece_kib == 0 ? convoy::bt::choose_piece_length(o.size) : a.piece_kib * 1024;
  o.delay = of_seconds(a.delay_ms / 1000);
  o.react = of_seconds(a.react_ms / 1000);
  o.spread = of_seconds(a.spread_ms / 1000);

  std::vector<Row> rows;
  bool complete = true;
  for (std::uint32_t n = 0; n < a.seeds; ++n) rows.push_back(run(a, o, n, complete));
  double worst = 0;
  for (const Row& r : rows) worst = std::max(worst, r.ratio);
  std::printf(
      "summary: nodes %u seeds %u ratio %.4f worst %.4f median_ratio %.4f area %.4f ttfb_s %.3f "
      "pause_s %.3f "
      "origin_copies %.4f redundant_fraction %.5f complete %s\n",
      o.nodes, a.seeds, median_of(rows, &Row::ratio), worst, median_of(rows, &Row::median),
      median_of(rows, &Row::area), median_of(rows, &Row::first), median_of(rows, &Row::pause),
      median_of(rows, &Row::origin), median_of(rows, &Row::redundant), complete ? "yes" : "no");
  return complete ? 0 : 1;
}
