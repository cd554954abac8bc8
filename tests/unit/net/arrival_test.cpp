#include "net/arrival.hpp"

#include <gtest/gtest.h>

namespace convoy::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kBlock = 16384;
constexpr milliseconds kQueued{30}, kLeast{10};

/// How many records it takes for a small window to be given up; 100 when it is not.
int records_until_wide(Duration record, Duration round_trip, Duration least) {
  Arrival arrival;
  int n = 0;
  while (arrival.slow() && n < 100) {
    arrival.took(kBlock, record, round_trip, least);
    ++n;
  }
  return n;
}

TEST(Arrival, stays_slow_while_records_take_their_time_in_queues) {
  EXPECT_EQ(records_until_wide(milliseconds(3), kQueued, kLeast), 100);
  EXPECT_EQ(records_until_wide(milliseconds(300), kQueued, kLeast), 100);
  // A quarter more than the least is a queue.
  EXPECT_EQ(records_until_wide(milliseconds(30), microseconds(12'500), kLeast), 100);
}

TEST(Arrival, is_given_up_where_no_queue_is_on_the_way) {
  EXPECT_EQ(records_until_wide(milliseconds(50), microseconds(12'499), kLeast), 8);
  EXPECT_EQ(records_until_wide(milliseconds(50), milliseconds(80), milliseconds(80)), 8);
}

TEST(Arrival, is_given_up_where_records_come_fast) {
  EXPECT_LE(records_until_wide(microseconds(100), kQueued, kLeast), 14);
  EXPECT_LE(records_until_wide(Duration::zero(), kQueued, kLeast), 14);
}

TEST(Arrival, takes_eight_records_in_a_row_to_be_given_up_and_does_not_come_back) {
  Arrival arrival;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 7; ++i) arrival.took(kBlock, milliseconds(20), kLeast, kLeast);
    EXPECT_TRUE(arrival.slow());
    arrival.took(kBlock, milliseconds(20), kQueued, kLeast);
  }
  for (int i = 0; i < 8; ++i) arrival.took(kBlock, milliseconds(20), kLeast, kLeast);
  EXPECT_FALSE(arrival.slow());
  for (int i = 0; i < 10; ++i) arrival.took(kBlock, milliseconds(20), kQueued, kLeast);
  EXPECT_FALSE(arrival.slow());
}

TEST(Arrival, is_looked_at_four_times_a_block_within_bounds) {
  const auto nap_for = [](Duration record, std::size_t bytes) {
    Arrival arrival;
    for (int i = 0; i < 100; ++i) arrival.took(bytes, record, kQueued, kLeast);
    return std::chrono::round<milliseconds>(arrival.nap());
  };
  EXPECT_EQ(nap_for(milliseconds(40), kBlock), milliseconds(10));
  EXPECT_EQ(nap_for(milliseconds(20), kBlock / 2), milliseconds(10));
  EXPECT_EQ(nap_for(microseconds(10), kBlock), milliseconds(1));
  EXPECT_EQ(nap_for(std::chrono::hours(1), 1), milliseconds(50));
}

TEST(Arrival, one_pause_adds_little) {
  Arrival arrival;
  const Duration before = arrival.nap();
  arrival.took(kBlock, std::chrono::minutes(1), kQueued, kLeast);
  EXPECT_LE(arrival.nap(), before * 5 / 4);
}

}  // namespace
}  // namespace convoy::net
