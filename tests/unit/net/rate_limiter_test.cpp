#include "net/rate_limiter.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "net/task_group.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using Now = std::chrono::steady_clock;
using test::Loop;

Task<void> take(RateLimiter& limiter, std::uint64_t n, int& outcome) {
  const bool got = co_await limiter.acquire(n);
  outcome = got ? 1 : 2;
}

TEST(RateLimiter, without_a_rate_everything_passes) {
  Loop loop;
  RateLimiter limiter(loop.executor());
  EXPECT_TRUE(loop.run(limiter.acquire(1'000'000'000'000)));
}

TEST(RateLimiter, keeps_the_rate_over_many_acquisitions) {
  Loop loop;
  RateLimiter limiter(loop.executor(), 10'000'000);
  const auto start = Now::now();
  const auto work = [&]() -> Task<void> {
    for (int i = 0; i < 40; ++i) static_cast<void>(co_await limiter.acquire(50'000));
  };
  loop.run(work());
  // 2 MB at 10 MB/s, less the burst and the last debt.
  const auto took = Now::now() - start;
  EXPECT_GE(took, milliseconds(130));
  EXPECT_LT(took, milliseconds(1500));
}

TEST(RateLimiter, one_larger_than_the_burst_passes_and_the_next_pays) {
  Loop loop;
  RateLimiter limiter(loop.executor(), 1'000'000);
  const auto start = Now::now();
  EXPECT_TRUE(loop.run(limiter.acquire(100'000)));
  EXPECT_LT(Now::now() - start, milliseconds(40));
  EXPECT_TRUE(loop.run(limiter.acquire(1)));
  EXPECT_GE(Now::now() - start, milliseconds(40));
}

TEST(RateLimiter, serves_in_order_and_wakes_when_the_rate_changes) {
  Loop loop;
  RateLimiter limiter(loop.executor(), 1'000);
  test::Tasks tasks(loop);
  EXPECT_TRUE(loop.run(limiter.acquire(1'000'000)));
  int a = 0;
  int b = 0;
  tasks->spawn([&] { return take(limiter, 10, a); });
  tasks->spawn([&] { return take(limiter, 10, b); });
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_EQ(a + b, 0);
  limiter.set_rate(0);
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 1);
}

/// Notes who passes when.
struct Passing {
  explicit Passing(std::uint64_t rate) : limiter(loop.executor(), rate) {}
  void stand(RateLimiter::Line line, std::uint64_t bytes) {
    tasks->spawn([this, line, bytes] { return wait(line, bytes); });
  }
  void until(std::size_t passed) {
    while (turns.size() < passed) loop.run(sleep_for(milliseconds(1)));
  }
  std::ptrdiff_t count(RateLimiter::Line line, std::ptrdiff_t begin, std::ptrdiff_t end) const {
    return std::count(turns.begin() + begin, turns.begin() + end, line);
  }
  Task<void> wait(RateLimiter::Line line, std::uint64_t bytes) {
    const bool got = co_await limiter.acquire(bytes, line);
    if (got) turns.push_back(line);
  }

  Loop loop;
  RateLimiter limiter;
  test::Tasks tasks{loop};
  std::vector<RateLimiter::Line> turns;
};

/// Six of the many stand in line, then two of the swarm with 10 kB each.
std::vector<RateLimiter::Line> passing(std::uint64_t bytes_of_many) {
  using enum RateLimiter::Line;
  Passing p(1'000'000);
  EXPECT_TRUE(p.loop.run(p.limiter.acquire(300'000)));
  for (int i = 0; i < 6; ++i) p.stand(many, bytes_of_many);
  p.loop.run(sleep_for(milliseconds(1)));
  for (int i = 0; i < 2; ++i) p.stand(swarm, 10'000);
  p.until(8);
  return p.turns;
}

TEST(RateLimiter, many_in_one_line_leave_half_to_the_swarm) {
  using enum RateLimiter::Line;
  EXPECT_EQ(passing(10'000), (std::vector{swarm, many, swarm, many, many, many, many, many}));
}

TEST(RateLimiter, large_ones_count_in_full) {
  using enum RateLimiter::Line;
  Passing p(100'000'000);
  EXPECT_TRUE(p.loop.run(p.limiter.acquire(20'000'000)));
  for (int i = 0; i < 10; ++i) p.stand(swarm, 256 * 1024);
  for (int i = 0; i < 40; ++i) p.stand(many, 64 * 1024);
  p.until(50);
  EXPECT_NEAR(static_cast<double>(p.count(swarm, 0, 25)), 5, 1);
}

TEST(RateLimiter, small_ones_do_not_wait_for_the_swarm_each_time) {
  using enum RateLimiter::Line;
  EXPECT_EQ(passing(2'500), (std::vector{swarm, many, many, many, many, swarm, many, many}));
}

TEST(RateLimiter, brief_ones_go_first_and_leave_the_others_a_quarter) {
  using enum RateLimiter::Line;
  Passing p(10'000'000);
  EXPECT_TRUE(p.loop.run(p.limiter.acquire(6'000'000)));
  for (int i = 0; i < 100; ++i) {
    for (const auto line : {many, swarm, brief}) p.stand(line, 16'000);
  }
  p.until(300);
  EXPECT_EQ(p.turns.front(), brief);
  EXPECT_NEAR(static_cast<double>(p.count(brief, 0, 80)), 60, 2);
  EXPECT_NEAR(static_cast<double>(p.count(swarm, 0, 80)), 10, 2);
  EXPECT_NEAR(static_cast<double>(p.count(swarm, 200, 240)), 20, 2) << "the rest is shared";
}

TEST(RateLimiter, a_line_that_was_alone_for_long_has_its_part_when_others_come) {
  using enum RateLimiter::Line;
  Passing p(100'000'000);
  for (int i = 0; i < 200; ++i) p.stand(swarm, 50'000);
  p.until(200);
  p.turns.clear();
  EXPECT_TRUE(p.loop.run(p.limiter.acquire(60'000'000)));
  for (int i = 0; i < 40; ++i) p.stand(many, 50'000);
  for (int i = 0; i < 20; ++i) p.stand(swarm, 50'000);
  p.until(60);
  EXPECT_GE(p.count(swarm, 0, 40), 15);
}

TEST(RateLimiter, a_turn_is_a_tenth_of_a_second_within_bounds) {
  Loop loop;
  RateLimiter limiter(loop.executor());
  EXPECT_EQ(limiter.turn(65'536), 65'536U);
  limiter.set_rate(1'000);
  EXPECT_EQ(limiter.turn(65'536), 16'384U);
  EXPECT_EQ(limiter.turn(1'000), 1'000U);
  limiter.set_rate(300'000);
  EXPECT_EQ(limiter.turn(65'536), 30'000U);
  limiter.set_rate(655'361);
  EXPECT_EQ(limiter.turn(65'536), 65'536U);
}

TEST(RateLimiter, a_cancelled_waiter_leaves_the_line) {
  Loop loop;
  RateLimiter limiter(loop.executor(), 1'000'000);
  EXPECT_TRUE(loop.run(limiter.acquire(80'000)));
  int a = 0;
  int b = 0;
  TaskGroup first(loop.executor());
  test::Tasks second(loop);
  first.spawn([&] { return take(limiter, 1'000'000'000, a); });
  second->spawn([&] { return take(limiter, 10, b); });
  loop.run(sleep_for(milliseconds(1)));
  loop.run(first.stop());
  EXPECT_EQ(a, 2);
  loop.run(sleep_for(milliseconds(120)));
  EXPECT_EQ(b, 1);
}

}  // namespace
}  // namespace convoy::net
