// convoy-sim: one swarm on modelled links, by options; prints one line for each seed.
//   convoy-sim --nodes 32 --mbit 10 --mib 64 --piece-kib 32 --seeds 5
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "sim/swarm_sim.hpp"

int main(int argc, char** argv) {
  std::map<std::string, double> v{{"nodes", 32},        {"mbit", 20},      {"origin-mbit", 0},
                                  {"mib", 64},          {"piece-kib", 64}, {"degree", 10},
                                  {"origin-links", 64}, {"delay-ms", 0.2}, {"spread-ms", 1000},
                                  {"seed", 1},          {"seeds", 1}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = std::string(argv[i]).substr(2);
    if (!v.contains(key)) {
      std::fprintf(stderr, "unknown option --%s\n", key.c_str());
      return 2;
    }
    v[key] = std::atof(argv[i + 1]);
  }
  for (int n = 0; n < static_cast<int>(v["seeds"]); ++n) {
    convoy::sim::SwarmOptions o;
    o.nodes = static_cast<std::uint32_t>(v["nodes"]);
    o.rate = static_cast<std::uint64_t>(v["mbit"] * 125'000);
    o.origin_rate = static_cast<std::uint64_t>(v["origin-mbit"] * 125'000);
    o.size = static_cast<std::uint64_t>(v["mib"] * (1 << 20));
    o.piece_length = static_cast<std::uint32_t>(v["piece-kib"] * 1024);
    o.degree = static_cast<std::uint32_t>(v["degree"]);
    o.origin_links = static_cast<std::uint32_t>(v["origin-links"]);
    o.delay = std::chrono::microseconds(static_cast<long>(v["delay-ms"] * 1000));
    o.spread = std::chrono::microseconds(static_cast<long>(v["spread-ms"] * 1000));
    o.seed = static_cast<std::uint64_t>(v["seed"]) + static_cast<std::uint64_t>(n);
    convoy::sim::SwarmSim sim(o);
    const auto r = sim.run();
    std::printf(
        "seed %-4llu complete %d ms %.3f med %.3f area %.3f ttfb %.3f origin %.3f "
        "redundant %.4f control %.4f\n",
        static_cast<unsigned long long>(o.seed), r.complete(), r.makespan(), r.median(), r.area(),
        r.worst_first(), static_cast<double>(r.origin_bytes) / static_cast<double>(o.size),
        static_cast<double>(r.redundant()) / static_cast<double>(o.size * o.nodes),
        static_cast<double>(r.control_bytes) / static_cast<double>(o.size * o.nodes));
  }
  return 0;
}
