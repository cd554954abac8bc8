#include "base/token_bucket.hpp"

#include <gtest/gtest.h>

namespace convoy {
namespace {

using namespace std::chrono_literals;

class TokenBucketTest : public ::testing::Test {
 protected:
  /// Bytes that a taker of `each` gets within `time`, looking every millisecond.
  std::uint64_t taken(TokenBucket& bucket, std::uint64_t each, Duration time) {
    std::uint64_t sum = 0;
    for (const SteadyTime end = now + time; now < end; now += 1ms) {
      while (bucket.ready(now)) {
        bucket.take(each);
        sum += each;
      }
    }
    return sum;
  }
  SteadyTime now{1h};
};

TEST_F(TokenBucketTest, WithoutARateEverythingPasses) {
  TokenBucket bucket;
  bucket.take(UINT64_MAX);
  EXPECT_TRUE(bucket.ready(now));
  EXPECT_EQ(bucket.rate(), 0U);
}

TEST_F(TokenBucketTest, KeepsTheRateWhateverIsTakenAtOnce) {
  for (const std::uint64_t each : {100U, 16'384U, 400'000U}) {
    TokenBucket bucket(1'000'000);
    const auto sum = taken(bucket, each, 10s);
    EXPECT_GE(sum, 10'000'000U) << each;
    EXPECT_LE(sum, 10'050'000U + each) << each;
  }
}

TEST_F(TokenBucketTest, SaysHowLongADebtLasts) {
  TokenBucket bucket(1000);
  EXPECT_TRUE(bucket.ready(now));
  bucket.take(1050);  // the burst is 50
  EXPECT_GE(bucket.wait(now), 1s);
  EXPECT_LE(bucket.wait(now), 1s + 2us);
  EXPECT_FALSE(bucket.ready(now + 999ms));
  EXPECT_TRUE(bucket.ready(now + 1s + 2us));
}

TEST_F(TokenBucketTest, LittlePilesUpWhileNobodyTakes) {
  TokenBucket bucket(1'000'000);
  now += 1h;
  EXPECT_LE(taken(bucket, 1000, 1ms), 51'000U);
}

TEST_F(TokenBucketTest, GivingBackMendsADebtButMakesNoBurst) {
  TokenBucket bucket(1000);
  EXPECT_TRUE(bucket.ready(now));
  bucket.take(10'050);
  bucket.give_back(9'000);
  EXPECT_LE(bucket.wait(now), 1s + 2us);
  bucket.give_back(1'000'000);
  EXPECT_LE(taken(bucket, 10, 1ms), 60U);
}

TEST_F(TokenBucketTest, ANewRateHoldsAtOnceAndAnOldDebtIsNoBurden) {
  TokenBucket bucket(1'000'000);
  EXPECT_TRUE(bucket.ready(now));
  bucket.take(5'000'000);
  bucket.set_rate(1000, now);
  EXPECT_LE(bucket.wait(now), 1s + 2us);
  bucket.set_rate(0, now);
  EXPECT_TRUE(bucket.ready(now));
  bucket.set_rate(1000, now);
  const auto sum = taken(bucket, 10, 10s);
  EXPECT_GE(sum, 9'900U);
  EXPECT_LE(sum, 10'100U);
}

TEST_F(TokenBucketTest, TimeThatGoesBackFillsNothing) {
  TokenBucket bucket(1000);
  EXPECT_TRUE(bucket.ready(now));
  bucket.take(1000);
  EXPECT_FALSE(bucket.ready(now - 1h));
  EXPECT_FALSE(bucket.ready(now + 10ms));
}

}  // namespace
}  // namespace convoy
