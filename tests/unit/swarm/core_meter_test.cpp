#include <gtest/gtest.h>
#include <vector>

#include "swarm/core/meter.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart = Instant{} + 1h;

/// What is measured when a block comes in each of these intervals, over the interval's rate.
std::vector<double> measured(Duration each, Duration from, Duration to) {
  RateMeter meter;
  std::vector<double> out;
  const double rate = bt::kBlockSize / std::chrono::duration<double>(each).count();
  for (Instant now = kStart + each; now < kStart + to; now += each) {
    meter.add(bt::kBlockSize, now);
    if (now - kStart > from) out.push_back(meter.rate(now) / rate);
  }
  return out;
}

TEST(RateMeter, BlocksAreNotTakenForBandwidthWhereFewCome) {
  for (const Duration each : {Duration(330ms), Duration(100ms), Duration(13ms), Duration(1300us)}) {
    const auto ratios = measured(each, 1s, 20s);
    ASSERT_FALSE(ratios.empty());
    for (const double r : ratios) {
      EXPECT_GE(r, each > 300ms ? 0.65 : 0.9) << each.count();
      EXPECT_LE(r, 1.4) << each.count();
    }
  }
}

TEST(RateMeter, BlocksThatBecomeWholeTogetherAreNotTakenForBandwidth) {
  constexpr int kConnections = 12;
  constexpr Duration kEach = 78ms;
  RateMeter meter;
  const double rate = kConnections * bt::kBlockSize / std::chrono::duration<double>(kEach).count();
  for (Instant now = kStart; now < kStart + 20s; now += kEach) {
    meter.add(kConnections * bt::kBlockSize, now);
    if (now < kStart + 1s) continue;
    EXPECT_GE(meter.rate(now) / rate, 0.9);
    EXPECT_LE(meter.rate(now) / rate, 1.3);
  }
}

TEST(RateMeter, TellsSoonAfterTheStart) {
  for (const double r : measured(13ms, 100ms, 1s)) {
    EXPECT_GE(r, 0.9);
    EXPECT_LE(r, 1.4);
  }
}

TEST(RateMeter, APauseDoesNotCountForASecond) {
  RateMeter meter;
  Instant now = kStart;
  for (int i = 0; i < 400; ++i) meter.add(bt::kBlockSize, now += 1ms);
  const double before = meter.rate(now);
  EXPECT_NEAR(meter.rate(now + 500ms), before, before / 10);
  EXPECT_EQ(meter.rate(now + 1100ms), 0);
}

TEST(RateMeter, NothingIsKnownBeforeAPeriodIsOver) {
  RateMeter meter;
  EXPECT_EQ(meter.rate(kStart), 0);
  meter.add(bt::kBlockSize, kStart);
  EXPECT_EQ(meter.rate(kStart), 0);
  EXPECT_GT(meter.rate(kStart + 50ms), 0);
}

}  // namespace
}  // namespace convoy::swarm::core
