#include "sim/svg.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace convoy::sim {
namespace {

constexpr double kWide = 360, kHigh = 240, kLeft = 60, kTop = 60, kGap = 40, kBottom = 50;
constexpr int kTicks = 5;

std::string text(double x, double y, std::string_view anchor, std::string_view words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     words);
}

std::string line(double x1, double y1, double x2, double y2) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1,
                     x2, y2);
}

/// A round number that leaves room above.
double end_of_axis(double largest) {
  if (largest <= 0) return 1;
  const double unit = std::pow(10, std::floor(std::log10(largest)));
  for (const double step : {1.0, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0}) {
    if (step * unit >= largest) return step * unit;
  }
  return 10 * unit;
}

std::string frame(const Plot& p, double left) {
  double x_end = 0, y_end = 0;
  for (const auto& [x, y] : p.points) {
    x_end = std::max(x_end, x);
    y_end = std::max(y_end, y);
  }
  x_end = end_of_axis(x_end);
  y_end = end_of_axis(y_end);
  const double bottom = kTop + kHigh;
  std::string out = text(left + kWide / 2, kTop - 12, "middle", p.title);
  out += "<g stroke=\"#999\" stroke-width=\"0.5\">\n";
  for (int i = 0; i <= kTicks; ++i) {
    const double at = static_cast<double>(i) / kTicks;
    out += line(left + at * kWide, kTop, left + at * kWide, bottom);
    out += line(left, bottom - at * kHigh, left + kWide, bottom - at * kHigh);
  }
  out += "</g>\n";
  for (int i = 0; i <= kTicks; ++i) {
    const double at = static_cast<double>(i) / kTicks;
    out += text(left + at * kWide, bottom + 15, "middle", fmt::format("{:.3g}", at * x_end));
    out += text(left - 6, bottom - at * kHigh + 4, "end", fmt::format("{:.3g}", at * y_end));
  }
  out += text(left + kWide / 2, bottom + 34, "middle", p.x_title);
  out += text(left, kTop - 30, "start", p.y_title);
  out += "<polyline fill=\"none\" stroke=\"#1565c0\" stroke-width=\"1.5\" points=\"";
  for (const auto& [x, y] : p.points) {
    out += fmt::format("{:.1f},{:.1f} ", left + x / x_end * kWide, bottom - y / y_end * kHigh);
  }
  return out + "\"/>\n";
}

std::vector<std::pair<double, double>> summed(const Curve& curve, double whole) {
  std::vector<std::pair<double, double>> out{{0, 0}};
  double sum = 0;
  for (std::size_t i = 0; i < curve.steps.size(); ++i) {
    sum += curve.steps[i];
    out.emplace_back(static_cast<double>(i + 1) / 100, sum / whole);
  }
  return out;
}

}  // namespace

std::string to_svg(const std::string& heading, const std::vector<Plot>& plots) {
  const double wide = kGap + static_cast<double>(plots.size()) * (kLeft + kWide + kGap);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      wide, kTop + kHigh + kBottom);
  out += text(kGap, 18, "start", heading);
  for (std::size_t i = 0; i < plots.size(); ++i) {
    out +=
        frame(plots[i], kGap + kLeft + static_cast<double>(i) * (kLeft + kWide + kGap) - kGap / 2);
  }
  return out + "</svg>\n";
}

std::vector<Plot> plots_of(const SwarmOptions& o, const SwarmResult& r) {
  const std::string time = "time / (bytes / rate)";
  Plot done{"nodes that are done", time + ", from each node's start", "share of nodes", {{0, 0}}};
  std::vector<double> ends;
  for (const auto& n : r.nodes) {
    if (n.done >= 0) ends.push_back(n.done / r.ideal);
  }
  std::sort(ends.begin(), ends.end());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const auto count = static_cast<double>(r.nodes.size());
    done.points.emplace_back(ends[i], static_cast<double>(i) / count);
    done.points.emplace_back(ends[i], static_cast<double>(i + 1) / count);
  }
  const auto bytes = static_cast<double>(r.bytes);
  Plot read{"bytes readable in order", time + ", from each node's start", "mean share of the bytes",
            summed(r.readable, bytes * o.nodes)};
  Plot origin{"bytes that left the origin", time, "copies", summed(r.origin, bytes)};
  return {std::move(done), std::move(read), std::move(origin)};
}

}  // namespace convoy::sim
