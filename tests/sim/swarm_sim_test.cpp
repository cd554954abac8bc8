#include "sim/swarm_sim.hpp"

#include <gtest/gtest.h>

#include "sim/svg.hpp"

namespace convoy::sim {
namespace {

using namespace std::chrono_literals;

SwarmOptions mbit(std::uint32_t nodes, std::uint64_t megabit, std::uint64_t mib,
                  std::uint32_t piece_kib, std::uint64_t seed = 1) {
  SwarmOptions o;
  o.nodes = nodes;
  o.rate = megabit * 125'000;
  o.size = mib << 20;
  o.piece_length = piece_kib << 10;
  o.seed = seed;
  return o;
}

double copies(const SwarmResult& r, const SwarmOptions& o) {
  return static_cast<double>(r.origin_bytes) / static_cast<double>(o.size);
}

void report(const char* what, const SwarmOptions& o, const SwarmResult& r) {
  std::printf(
      "%-28s N=%-4u ms %.3f med %.3f area %.3f ttfb %.3f origin %.3f redundant %.4f "
      "control %.4f\n",
      what, o.nodes, r.makespan(), r.median(), r.mean(&NodeResult::area), r.worst_first(),
      copies(r, o), static_cast<double>(r.redundant()) / static_cast<double>(o.size * o.nodes),
      static_cast<double>(r.control_bytes) / static_cast<double>(o.size * o.nodes));
}

TEST(SwarmSim, FlashCrowdStaysNearTheBound) {
  for (const auto& [o, most] : {std::pair(mbit(1, 20, 64, 64), 1.02),
                                {mbit(8, 40, 64, 64), 1.06},
                                {mbit(32, 20, 64, 64), 1.06}}) {
    SwarmSim sim(o);
    const SwarmResult r = sim.run();
    report("flash crowd", o, r);
    ASSERT_TRUE(r.complete()) << "seed " << o.seed;
    EXPECT_LE(r.makespan(), most) << "seed " << o.seed;
    EXPECT_LE(copies(r, o), 1.05) << "seed " << o.seed;
    EXPECT_LE(r.mean(&NodeResult::area), 0.70);
  }
}

TEST(SwarmSim, BarsOfTheMeasuredBaselineHold) {
  struct Row {
    SwarmOptions o;
    double most;
  };
  for (const Row& row : {Row{mbit(8, 40, 64, 64, 7), 1.06}, Row{mbit(16, 20, 32, 32, 7), 1.08},
                         Row{mbit(32, 10, 64, 32, 7), 1.08}, Row{mbit(100, 20, 64, 64, 7), 1.09}}) {
    SwarmSim sim(row.o);
    const SwarmResult r = sim.run();
    report("baseline", row.o, r);
    ASSERT_TRUE(r.complete());
    EXPECT_LE(r.makespan(), row.most);
    EXPECT_LE(copies(r, row.o), 1.05);
  }
}

SwarmResult finished(const char* what, const SwarmOptions& o) {
  SwarmSim sim(o);
  SwarmResult r = sim.run();
  report(what, o, r);
  EXPECT_TRUE(r.complete());
  return r;
}

/// On links of so many bytes per second a piece is one block, and few come in a second.
SwarmResult on_slow_links(const char* what, SwarmOptions& o, std::uint64_t rate) {
  o.rate = rate;
  return finished(what, o);
}

TEST(SwarmSim, WhereThreeBlocksComeInASecondTheOriginDoesNotRepeatItself) {
  SwarmOptions o = mbit(60, 1, 2, 16);
  const SwarmResult r = on_slow_links("slow links", o, 50'000);
  EXPECT_LE(r.makespan(), 1.7);
  EXPECT_LE(copies(r, o), 1.4);
}

TEST(SwarmSim, WherePeersTakeSecondsToAnswerFirstBlocksAreNotAskedForTwice) {
  SwarmOptions o = mbit(8, 1, 2, 16);
  const SwarmResult r = on_slow_links("slow first answers", o, 50'000);
  EXPECT_LE(r.makespan(), 1.2);
  EXPECT_LE(r.redundant(), o.size * o.nodes / 100);
}

TEST(SwarmSim, PiecesOfACrowdOnSlowLinksAreNotTakenForLost) {
  SwarmOptions o = mbit(100, 1, 8, 16);
  const SwarmResult r = on_slow_links("a crowd on slow links", o, 62'500);
  EXPECT_LE(r.makespan(), 1.2);
  EXPECT_LE(copies(r, o), 1.08);
}

TEST(SwarmSim, LatencyOfAWideNetworkIsCovered) {
  auto o = mbit(32, 20, 32, 64, 3);
  o.delay = 10ms;
  const SwarmResult r = finished("10 ms one way", o);
  EXPECT_LE(r.makespan(), 1.15);
  EXPECT_LE(copies(r, o), 1.05);
}

TEST(SwarmSim, AFarNodeIsFedAtTheRateOfItsLink) {
  for (const std::uint32_t nodes : {1U, 8U}) {
    auto o = mbit(nodes, 40, 64, 64);
    o.delay = 40ms;
    EXPECT_LE(finished("40 ms one way", o).makespan(), 1.15);
  }
}

TEST(SwarmSim, ASecondWaveCostsTheFirstLittle) {
  const auto o = mbit(32, 20, 32, 64, 5);
  SwarmSim sim(o);
  for (std::uint32_t i = 17; i <= 32; ++i) sim.start_at(i, 7s);
  const SwarmResult r = sim.run();
  report("second wave", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.makespan(), 1.15);
  EXPECT_LE(copies(r, o), 1.05);
}

TEST(SwarmSim, SlowNodesDoNotHoldTheOthersBack) {
  const auto o = mbit(32, 20, 16, 32, 5);
  SwarmSim alike(o);
  const SwarmResult without = alike.run();
  ASSERT_TRUE(without.complete());
  SwarmSim sim(o);
  for (std::uint32_t i = 1; i <= 3; ++i) sim.set_rate(i, o.rate / 4);
  const SwarmResult r = sim.run();
  report("three at r/4", o, r);
  ASSERT_TRUE(r.complete());
  double fast = 0;
  for (std::size_t i = 3; i < r.nodes.size(); ++i) fast = std::max(fast, r.nodes[i].done);
  EXPECT_LE(fast / r.ideal, 1.05 * without.makespan());
  EXPECT_LE(r.makespan() / 4, 1.15);
}

TEST(SwarmSim, PiecesOfDeadHoldersAreOfferedAgain) {
  const auto o = mbit(8, 20, 16, 64, 11);
  SwarmSim sim(o);
  for (std::uint32_t i = 1; i <= 7; ++i) sim.kill(i, 1s + i * 300ms);
  const SwarmResult r = sim.run();
  report("seven of eight die", o, r);
  ASSERT_EQ(r.nodes.size(), 1U);
  EXPECT_TRUE(r.complete());
}

TEST(SwarmSim, ALateNodeGetsEverythingFromTheOriginWhenAllOthersAreGone) {
  const auto o = mbit(2, 20, 8, 64, 2);
  SwarmSim sim(o);
  sim.start_at(1, 0s);
  sim.start_at(2, 10s);
  sim.kill(1, 11s);
  const SwarmResult r = sim.run();
  report("the only holder dies", o, r);
  ASSERT_EQ(r.nodes.size(), 1U);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.nodes[0].done, r.ideal + 3);
}

TEST(SwarmSim, NodesThatCannotReachEachOtherAreFedByTheOrigin) {
  const auto o = mbit(2, 20, 4, 64, 2);
  SwarmSim sim(o);
  sim.cut(1, 2);
  const SwarmResult r = sim.run();
  report("no link between the two", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(copies(r, o), 2.05);
}

TEST(SwarmSim, RestartedNodesFinish) {
  const auto o = mbit(16, 20, 16, 64, 9);
  SwarmSim sim(o);
  for (std::uint32_t i = 1; i <= 6; ++i) {
    sim.kill(i, 2s + i * 200ms);
    sim.revive(i, 4s + i * 200ms);
  }
  const SwarmResult r = sim.run();
  report("six restart empty", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_EQ(r.nodes.size(), 16U);
}

TEST(SwarmSim, ALiarIsFoundAndTheOthersFinish) {
  const auto o = mbit(16, 20, 8, 64, 4);
  SwarmSim sim(o);
  sim.corrupt(5);
  const SwarmResult r = sim.run();
  report("one liar", o, r);
  ASSERT_TRUE(r.complete());
  ASSERT_FALSE(sim.reported().empty());
  for (const auto& node : sim.reported()) EXPECT_EQ(node, "node-5");
}

SwarmOptions two_zones(std::uint32_t nodes, double line, std::uint64_t seed) {
  auto o = mbit(nodes, 20, 64, 64, seed);
  o.zones = 2;
  o.border_rate = static_cast<std::uint64_t>(line * static_cast<double>(o.rate));
  return o;
}

double crossed(const SwarmResult& r) {
  return static_cast<double>(r.border_bytes) / static_cast<double>(r.bytes);
}

TEST(SwarmSim, TwoZonesMoveABlobOverTheirBorderAboutOnce) {
  for (const double line : {1.1, 2.0}) {
    const auto o = two_zones(32, line, 3);
    SwarmSim sim(o);
    const SwarmResult r = sim.run();
    report("two zones", o, r);
    ASSERT_TRUE(r.complete());
    EXPECT_LE(crossed(r), 1.2) << "line " << line;
    EXPECT_LE(r.makespan(), 1.12) << "line " << line;
    EXPECT_LE(copies(r, o), 1.05);
  }
}

TEST(SwarmSim, AThinLineIsNotFilledWithRepetitions) {
  auto o = two_zones(32, 0.25, 5);
  o.size = 16 << 20;
  SwarmSim sim(o);
  const SwarmResult r = sim.run();
  report("line of r/4", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(crossed(r), 1.5);
  EXPECT_LE(r.makespan(), 4 * 1.5);
}

TEST(SwarmSim, AZoneWhoseOwnersDieFinishes) {
  auto o = two_zones(32, 2, 6);
  o.size = 32 << 20;
  SwarmSim sim(o);  // even numbers stand beyond the border of the origin's zone
  for (std::uint32_t i = 2; i <= 24; i += 2) sim.kill(i, 3s + i * 50ms);
  const SwarmResult r = sim.run();
  report("12 of 16 owners die", o, r);
  ASSERT_EQ(r.nodes.size(), 20U);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.makespan(), 1.75);
  EXPECT_LE(crossed(r), 2.2);
}

TEST(SwarmSim, AllOwnersButOneDie) {
  auto o = two_zones(32, 2, 7);
  o.size = 16 << 20;
  SwarmSim sim(o);
  for (std::uint32_t i = 2; i <= 30; i += 2) sim.kill(i, 3s);
  const SwarmResult r = sim.run();
  report("15 of 16 owners die", o, r);
  ASSERT_EQ(r.nodes.size(), 17U);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.makespan(), 2.5);
}

TEST(SwarmSim, ANodeAloneInItsZoneKeepsUp) {
  auto o = mbit(17, 20, 32, 64, 8);
  o.zones = 17;
  o.degree = 10;
  SwarmSim sim(o);
  const SwarmResult r = sim.run();
  report("17 zones of one", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.makespan(), 1.25);
}

TEST(SwarmSim, NodesThatStartWhileTheTrackerIsAwayRetryAndTheOthersGoOn) {
  auto o = mbit(24, 20, 32, 64, 9);
  SwarmSim sim(o);
  sim.tracker_down(2s, 9s);
  for (std::uint32_t i = 17; i <= 24; ++i) sim.start_at(i, 3s);
  const SwarmResult r = sim.run();
  report("tracker away for 7 s", o, r);
  ASSERT_TRUE(r.complete());
  for (std::size_t i = 0; i < 16; ++i) EXPECT_LE(r.nodes[i].done / r.ideal, 1.15) << i;
  for (std::size_t i = 16; i < 24; ++i) {
    EXPECT_GE(r.nodes[i].first, 5);
    EXPECT_LE(r.nodes[i].done, 10 + 1.15 * r.ideal);
  }
}

TEST(SwarmSim, LossAndJitterCostWhatTheyTakeFromTheLinks) {
  auto o = mbit(16, 20, 32, 64, 10);
  o.loss = 0.02;
  o.jitter = 2ms;
  SwarmSim sim(o);
  const SwarmResult r = sim.run();
  report("loss and jitter", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_LE(r.makespan(), 1.12 / (1 - o.loss));
}

TEST(SwarmSim, LayersShareTheLinks) {
  auto o = mbit(16, 20, 0, 64, 12);
  o.layers = {16 << 20, 8 << 20, 1 << 20, 8 << 20, 2 << 20, 4 << 20, 1 << 20};
  SwarmSim sim(o);
  const SwarmResult r = sim.run();
  report("seven layers", o, r);
  ASSERT_TRUE(r.complete());
  EXPECT_EQ(r.bytes, 40U << 20);
  EXPECT_LE(static_cast<double>(r.origin_bytes) / static_cast<double>(r.bytes), 1.05);
  EXPECT_LE(r.makespan(), 1.12);
  // One after the other, the smallest first, would be 0.34; when all are alike it is 0.57.
  EXPECT_LE(r.mean(&NodeResult::layer), 0.54);
}

TEST(Plots, HaveACurveForEachFigureAndEndWhereTheRunDid) {
  const auto o = mbit(4, 20, 4, 64, 13);
  SwarmSim sim(o);
  const SwarmResult r = sim.run();
  const auto plots = plots_of(o, r);
  ASSERT_EQ(plots.size(), 3U);
  EXPECT_DOUBLE_EQ(plots[0].points.back().second, 1);
  EXPECT_NEAR(plots[1].points.back().second, 1, 1e-9);
  EXPECT_NEAR(plots[2].points.back().second, copies(r, o), 1e-9);
  const std::string svg = to_svg("a run", plots);
  EXPECT_TRUE(svg.starts_with("<svg ")) << svg.substr(0, 80);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  std::size_t lines = 0;
  for (auto at = svg.find("<polyline"); at != std::string::npos;
       at = svg.find("<polyline", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 3U);
}

TEST(SwarmSim, TheSameSeedGivesTheSameRun) {
  const auto o = mbit(12, 20, 8, 32, 21);
  SwarmSim a(o), b(o);
  EXPECT_EQ(a.run().makespan(), b.run().makespan());
}

}  // namespace
}  // namespace convoy::sim
