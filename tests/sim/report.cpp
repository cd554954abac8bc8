#include "sim/report.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace convoy::sim {
namespace {

double median_of(std::vector<Row> rows, double Row::* figure) {
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
  std::nth_element(rows.begin(), middle, rows.end(),
                   [figure](const Row& x, const Row& y) { return x.*figure < y.*figure; });
  return (*middle).*figure;
}

struct Figure {
  const char* name;
  double Row::* value;
};

constexpr Figure kFigures[] = {
    {"ratio", &Row::ratio},
    {"fast_ratio", &Row::fast_ratio},
    {"late_ratio", &Row::late_ratio},
    {"median_ratio", &Row::median},
    {"layer_ratio", &Row::layer},
    {"area", &Row::area},
    {"ttfb_s", &Row::first},
    {"pause_s", &Row::pause},
    {"origin_copies", &Row::origin},
    {"border_copies", &Row::border},
    {"redundant_fraction", &Row::redundant},
    {"control_fraction", &Row::control},
    {"cpu_s", &Row::seconds},
};

double worst_of(const std::vector<Row>& rows) {
  double worst = 0;
  for (const Row& r : rows) worst = std::max(worst, r.ratio);
  return worst;
}

bool all_complete(const std::vector<Row>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Row& r) { return r.complete; });
}

}  // namespace

Row row_of(const SwarmOptions& o, const SwarmResult& r, const Marked& marked, double seconds) {
  const auto bytes = static_cast<double>(r.bytes);
  const double all = bytes * o.nodes;
  Row row;
  row.seed = o.seed;
  row.complete = r.complete();
  row.ratio = r.makespan();
  for (const NodeResult& n : r.nodes) {
    const double ratio = (n.done < 0 ? 1e9 : n.done) / r.ideal;
    if (marked.late[n.node]) {
      row.late_ratio = std::max(row.late_ratio, ratio);
    } else if (!marked.troubled[n.node]) {
      row.fast_ratio = std::max(row.fast_ratio, ratio);
    }
  }
  row.median = r.median();
  row.area = r.mean(&NodeResult::area);
  row.layer = r.mean(&NodeResult::layer);
  row.first = r.worst_first();
  row.pause = r.worst_pause();
  row.origin = static_cast<double>(r.origin_bytes) / bytes;
  row.border = static_cast<double>(r.border_bytes) / bytes;
  row.redundant = static_cast<double>(r.redundant()) / all;
  row.control = static_cast<double>(r.control_bytes) / all;
  row.seconds = seconds;
  return row;
}

void print_head() {
  fmt::print(
      "{:>6} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>8} {:>8} {:>7} {:>7} {:>9} {:>8} {:>8}\n",
      "seed", "ratio", "others", "late", "median", "layer", "area", "ttfb s", "pause s", "origin",
      "border", "redundant", "control", "cpu s");
}

void print_row(const Row& r) {
  fmt::print(
      "{:>6} {:>7.3f} {:>7.3f} {:>7.3f} {:>7.3f} {:>6.3f} {:>6.3f} {:>8.3f} {:>8.3f} {:>7.3f} "
      "{:>7.3f} {:>9.5f} {:>8.4f} {:>8.1f}{}\n",
      r.seed, r.ratio, r.fast_ratio, r.late_ratio, r.median, r.layer, r.area, r.first, r.pause,
      r.origin, r.border, r.redundant, r.control, r.seconds, r.complete ? "" : "  INCOMPLETE");
  std::fflush(stdout);
}

void print_nodes(const SwarmResult& r) {
  for (const auto& node : r.nodes) {
    fmt::print("  node {} start {:.3f} s first {:.3f} s done {:.4f} area {:.4f}\n", node.node,
               node.start, node.first, node.done / r.ideal, node.area / r.ideal);
  }
}

void print_summary(const SwarmOptions& o, std::vector<Row> rows) {
  std::string line = fmt::format("summary: nodes {} seeds {}", o.nodes, rows.size());
  for (const Figure& f : kFigures) {
    line += fmt::format(" {} {:.5g}", f.name, median_of(rows, f.value));
    if (f.value == &Row::ratio) line += fmt::format(" worst {:.5g}", worst_of(rows));
  }
  fmt::print("{} complete {}\n", line, all_complete(rows) ? "yes" : "no");
}

std::string to_json(const SwarmOptions& o, const std::vector<Row>& rows) {
  const auto object = [](const auto& value_of) {
    std::string out;
    for (const Figure& f : kFigures) out += fmt::format("\"{}\":{:.6g},", f.name, value_of(f));
    return out;
  };
  std::string runs;
  for (const Row& r : rows) {
    if (!runs.empty()) runs += ',';
    runs += fmt::format("{{{}\"seed\":{},\"complete\":{}}}",
                        object([&](const Figure& f) { return r.*f.value; }), r.seed, r.complete);
  }
  return fmt::format(
      "{{\"nodes\":{},\"seeds\":{},{}\"worst\":{:.6g},\"complete\":{},\"runs\":[{}]}}", o.nodes,
      rows.size(), object([&](const Figure& f) { return median_of(rows, f.value); }),
      worst_of(rows), all_complete(rows), runs);
}

}  // namespace convoy::sim
