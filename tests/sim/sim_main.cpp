// convoy-sim: swarms on modelled links, by options. A line for each seed, then a summary.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sim/report.hpp"
#include "sim/svg.hpp"
#include "sim/swarm_sim.hpp"
#include "wire/bt/metadata.hpp"

namespace {

constexpr const char* kAbout =
    R"(Swarms of the engine's own core, handed out by the tracker's own tables, on modelled links in
virtual time. Ratios are against bytes / rate, from each node's own start, block framing excluded;
"others" are the nodes that are neither slow, lying, restarted nor late. The same options and seed
give the same run.)";
constexpr const char* kExamples = R"(Examples:
  a crowd that starts at once, three times:
    ./dev sim --nodes 1000 --seeds 3
  two zones with a line of 22 Mbit/s between them, drawn:
    ./dev sim --nodes 32 --zones 2 --border-mbit 22 --svg run.svg
  an image of ten layers on a bad day:
    ./dev sim --layers 10 --queues --jitter-ms 2 --loss 0.01 --tracker-down 2 9
  half of the nodes come when the others are half done; a line for each node:
    ./dev sim --late 0.5 --verbose
  what 10 % slow nodes, or a churn of 10 % a minute, cost the others:
    ./dev sim --nodes 100 --slow 0.1
    ./dev sim --nodes 100 --churn 0.1)";

using convoy::Duration;
using convoy::sim::Marked;
using convoy::sim::Row;
using convoy::sim::SwarmOptions;
using convoy::sim::SwarmResult;
using convoy::sim::SwarmSim;

struct Args {
  double mbit = 20, origin_mbit = 0, mib = 64, spread_ms = 1000, border_mbit = 0;
  double delay_ms = 0.2, jitter_ms = 0, react_ms = 0;
  std::uint32_t piece_kib = 0, seeds = 1, layers = 1;
  double slow = 0, slow_mbit = 0, churn = 0, away = 2, late = 0, late_at = 0.5;
  std::vector<double> tracker_down;
  std::uint32_t liars = 0;
  std::string svg;
  bool verbose = false, json = false;
};

Duration of_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

std::uint64_t of_mbit(double mbit) { return static_cast<std::uint64_t>(mbit * 125'000); }

/// Sizes from 1 MiB up in even ratios, the largest `mib`.
std::vector<std::uint64_t> layer_sizes(std::uint32_t count, double mib) {
  std::vector<std::uint64_t> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    const double share = count == 1 ? 1 : static_cast<double>(i) / (count - 1);
    out.push_back(static_cast<std::uint64_t>(std::pow(mib, share) * (1 << 20)));
  }
  return out;
}

void complete_options(const Args& a, SwarmOptions& o) {
  o.rate = of_mbit(a.mbit);
  o.origin_rate = of_mbit(a.origin_mbit);
  o.border_rate = of_mbit(a.border_mbit);
  o.size = static_cast<std::uint64_t>(a.mib * (1 << 20));
  o.piece_length = a.piece_kib == 0 ? convoy::bt::choose_piece_length(o.size) : a.piece_kib * 1024;
  if (a.layers > 1) o.layers = layer_sizes(a.layers, a.mib);
  o.delay = of_seconds(a.delay_ms / 1000);
  o.jitter = of_seconds(a.jitter_ms / 1000);
  o.react = of_seconds(a.react_ms / 1000);
  o.spread = of_seconds(a.spread_ms / 1000);
}

double ideal_of(const SwarmOptions& o) {
  std::uint64_t bytes = o.layers.empty() ? o.size : 0;
  for (const std::uint64_t size : o.layers) bytes += size;
  return static_cast<double>(bytes) / static_cast<double>(o.rate);
}

/// What happens beside the plain flash crowd; the last nodes are the slow, late or lying ones.
Marked trouble(SwarmSim& sim, const Args& a, const SwarmOptions& o) {
  convoy::SeededRandom random(o.seed ^ 0x7269736b);
  const double ideal = ideal_of(o);
  Marked marked{std::vector<bool>(o.nodes + 1), std::vector<bool>(o.nodes + 1)};
  const auto share = [&](double f) {
    return static_cast<std::uint32_t>(f * static_cast<double>(o.nodes));
  };
  for (std::uint32_t i = 0; i < share(a.slow); ++i) {
    sim.set_rate(o.nodes - i, of_mbit(a.slow_mbit == 0 ? a.mbit / 4 : a.slow_mbit));
    marked.troubled[o.nodes - i] = true;
  }
  for (std::uint32_t i = 0; i < share(a.late); ++i) {
    const double spread = a.spread_ms / 1000 * static_cast<double>(random.below(1000)) / 1000;
    sim.start_at(o.nodes - i, of_seconds(ideal * a.late_at + spread));
    marked.late[o.nodes - i] = true;
  }
  for (std::uint32_t i = 0; i < a.liars && i < o.nodes; ++i) {
    sim.corrupt(o.nodes - i);
    marked.troubled[o.nodes - i] = true;
  }
  const double deaths = a.churn * static_cast<double>(o.nodes) * ideal / 60;
  for (double n = 0; n < deaths; ++n) {
    const auto node = static_cast<std::uint32_t>(1 + random.below(o.nodes));
    const double at = 1 + ideal * static_cast<double>(random.below(1000)) / 1000;
    sim.kill(node, of_seconds(at));
    sim.revive(node, of_seconds(at + a.away));
    marked.troubled[node] = true;
  }
  if (a.tracker_down.size() == 2) {
    sim.tracker_down(of_seconds(a.tracker_down[0]), of_seconds(a.tracker_down[1]));
  }
  return marked;
}

Row run(const Args& a, const SwarmOptions& o) {
  SwarmSim sim(o);
  const Marked marked = trouble(sim, a, o);
  const std::clock_t begin = std::clock();
  const SwarmResult r = sim.run();
  const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const Row row = convoy::sim::row_of(o, r, marked, took);
  if (!a.json) convoy::sim::print_row(row);
  if (a.verbose && !a.json) convoy::sim::print_nodes(r);
  if (!a.svg.empty()) {
    std::ofstream out(a.svg);
    const std::string heading = std::to_string(o.nodes) + " nodes, seed " + std::to_string(o.seed);
    out << convoy::sim::to_svg(heading, convoy::sim::plots_of(o, r));
  }
  return row;
}

/// The command that does this run alone again.
std::string again(int argc, char** argv, std::uint64_t seed) {
  std::string out = "./dev sim";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seed" || word == "--seeds") {
      ++i;
    } else if (!word.starts_with("--seed=") && !word.starts_with("--seeds=")) {
      out += " " + word;
    }
  }
  return out + " --seed " + std::to_string(seed);
}

void describe(CLI::App& app, Args& a, SwarmOptions& o) {
  app.footer(kExamples);
  app.option_defaults()->always_capture_default();
  app.add_option("--nodes", o.nodes, "downloading nodes, beside the origin")
      ->check(CLI::Range(1, 20000));
  app.add_option("--mbit", a.mbit, "rate of each link, each way, in Mbit/s");
  app.add_option("--origin-mbit", a.origin_mbit, "of the origin's link; 0: the same");
  app.add_option("--mib", a.mib, "size of the blob in MiB");
  app.add_option("--layers", a.layers, "so many blobs at once, from 1 MiB to --mib")
      ->check(CLI::Range(1, 100));
  app.add_option("--piece-kib", a.piece_kib, "piece length; 0: by the blob's size");
  app.add_option("--degree", o.degree, "neighbours of a node");
  app.add_option("--origin-links", o.origin_links,
                 "nodes that the origin is linked to, at random, beside the first 16");
  app.add_option("--zones", o.zones, "nodes are dealt out to so many, the origin is in the first")
      ->check(CLI::Range(1, 1000));
  app.add_option("--border-mbit", a.border_mbit, "of the line between two zones; 0: no limit");
  app.add_option("--delay-ms", a.delay_ms, "one way");
  app.add_option("--jitter-ms", a.jitter_ms, "mean of what is added to the delay at random");
  app.add_option("--loss", o.loss, "share of packets lost")->check(CLI::Range(0.0, 0.9));
  app.add_option("--react-ms", a.react_ms, "mean time to get at a message, of busy machines");
  app.add_flag("--queues", o.queues, "messages wait behind data in the links' queues");
  app.add_option("--spread-ms", a.spread_ms, "within which nodes start; 0: together");
  app.add_option("--slow", a.slow, "share of nodes with slow links")->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow-mbit", a.slow_mbit, "their rate; 0: a quarter");
  app.add_option("--late", a.late, "share of nodes that start later")->check(CLI::Range(0.0, 1.0));
  app.add_option("--late-at", a.late_at, "when, as a share of bytes / rate");
  app.add_option("--churn", a.churn, "share of nodes that die in a minute, their disk lost");
  app.add_option("--away", a.away, "seconds until they are back");
  app.add_option("--liars", a.liars, "nodes that send wrong bytes");
  app.add_option("--tracker-down", a.tracker_down, "from and to which second nobody reaches it")
      ->expected(2);
  app.add_option("--seed", o.seed, "the first");
  app.add_option("--seeds", a.seeds, "how many runs")->check(CLI::PositiveNumber);
  app.add_option("--svg", a.svg, "file for the plots of the last run");
  app.add_flag("--json", a.json, "one JSON object instead of the table");
  app.add_flag("--verbose", a.verbose, "a line for each node");
}

}  // namespace

int main(int argc, char** argv) {
  Args a;
  SwarmOptions o;
  o.nodes = 32;
  CLI::App app{kAbout, "convoy-sim"};
  describe(app, a, o);
  CLI11_PARSE(app, argc, argv);
  complete_options(a, o);

  std::vector<Row> rows;
  if (!a.json) convoy::sim::print_head();
  const std::uint64_t first = o.seed;
  for (std::uint32_t n = 0; n < a.seeds; ++n) {
    o.seed = first + n;
    rows.push_back(run(a, o));
    if (rows.back().complete) continue;
    std::fprintf(stderr, "seed %llu did not complete; again by: %s\n",
                 static_cast<unsigned long long>(o.seed), again(argc, argv, o.seed).c_str());
  }
  if (a.json) {
    std::printf("%s\n", convoy::sim::to_json(o, rows).c_str());
  } else {
    convoy::sim::print_summary(o, rows);
  }
  const bool complete =
      std::all_of(rows.begin(), rows.end(), [](const Row& r) { return r.complete; });
  return complete ? 0 : 1;
}
