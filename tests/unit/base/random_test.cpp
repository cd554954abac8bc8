#include "base/random.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/clock.hpp"

namespace convoy {
namespace {

TEST(SeededRandom, GivesTheSameBytesEverywhere) {
  SeededRandom a(1);
  SeededRandom b(1);
  EXPECT_EQ(a.hex(16), b.hex(16));
  EXPECT_EQ(SeededRandom(0).next(), 0xe220a8397b1dcdafu);  // SplitMix64's first value
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  SeededRandom random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(5));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(random.below(1), 0u);
  EXPECT_LT(random.below((1ull << 63) + 1), (1ull << 63) + 1);
}

TEST(SystemRandom, FillsAnyLengthDifferentlyEachTime) {
  SystemRandom random;
  for (std::size_t n : {0u, 1u, 7u, 9u, 300u}) EXPECT_EQ(random.hex(n).size(), 2 * n);
  EXPECT_NE(random.hex(16), random.hex(16));
}

TEST(Clock, WritesRfc3339InUtc) {
  EXPECT_EQ(to_rfc3339(UnixTime{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(UnixTime(std::chrono::seconds(1'767'323'045))), "2026-01-02T03:04:05Z");
}

TEST(Deadline, PassesAtItsInstant) {
  const SteadyTime t{std::chrono::seconds(5)};
  const auto deadline = Deadline::at(t);
  EXPECT_FALSE(deadline.passed(t - std::chrono::nanoseconds(1)));
  EXPECT_TRUE(deadline.passed(t));
  const auto earlier = Deadline::at(t - std::chrono::seconds(1));
  EXPECT_EQ(deadline.sooner(earlier).time(), earlier.time());
}

}  // namespace
}  // namespace convoy
