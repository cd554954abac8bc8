#include "net/task_group.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <thread>

#include "net/worker_pool.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Loop;

Task<void> sleep_into(Duration d, int& outcome) {
  const bool slept = co_await sleep_for(d);
  outcome = slept ? 1 : 2;
}

TEST(TaskGroup, stop_cancels_and_waits) {
  Loop loop;
  TaskGroup group(loop.executor());
  int a = 0;
  int b = 0;
  group.spawn([&] { return sleep_into(seconds(600), a); });
  group.spawn([&] { return sleep_into(milliseconds(1), b); });
  EXPECT_EQ(group.size(), 2u);
  loop.run(sleep_for(milliseconds(10)));
  EXPECT_EQ(group.size(), 1u);
  loop.run(group.stop());
  EXPECT_EQ(group.size(), 0u);
  EXPECT_EQ(a, 2);
  EXPECT_EQ(b, 1);
}

TEST(TaskGroup, a_task_cancelled_before_its_first_turn_does_not_wait) {
  Loop loop;
  TaskGroup group(loop.executor());
  int outcome = 0;
  group.spawn([&] { return sleep_into(seconds(600), outcome); });
  loop.run(group.stop());
  EXPECT_EQ(outcome, 2);
}

Task<void> stubborn(int& rounds) {
  for (rounds = 0; rounds < 5; ++rounds) static_cast<void>(co_await sleep_for(seconds(600)));
}

TEST(TaskGroup, after_cancellation_no_further_wait_holds_a_task) {
  Loop loop;
  TaskGroup group(loop.executor());
  int rounds = 0;
  group.spawn([&] { return stubborn(rounds); });
  loop.run(sleep_for(milliseconds(1)));
  loop.run(group.stop());
  EXPECT_EQ(rounds, 5);
}

TEST(TaskGroup, nothing_starts_after_stop) {
  Loop loop;
  TaskGroup group(loop.executor());
  loop.run(group.stop());
  int outcome = 0;
  group.spawn([&] { return sleep_into(milliseconds(1), outcome); });
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ(outcome, 0);
}

TEST(TaskGroup, the_function_and_its_captures_live_as_long_as_the_task) {
  Loop loop;
  TaskGroup group(loop.executor());
  auto owned = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = owned;
  group.spawn([owned] { return sleep_into(milliseconds(5), *owned); });
  owned.reset();
  EXPECT_FALSE(seen.expired());
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_TRUE(seen.expired());
  loop.run(group.stop());
}

Task<void> thrower() {
  co_await sleep_for(milliseconds(1));
  throw std::runtime_error("no such thing");
}

TEST(TaskGroupDeath, an_escaped_exception_ends_the_process_with_its_text) {
  EXPECT_DEATH(
      {
        Loop loop;
        TaskGroup group(loop.executor());
        group.spawn([] { return thrower(); });
        loop.run(sleep_for(milliseconds(50)));
      },
      "no such thing");
}

TEST(TaskGroupDeath, destroying_it_with_tasks_left_ends_the_process) {
  EXPECT_DEATH(
      {
        Loop loop;
        int outcome = 0;
        TaskGroup group(loop.executor());
        group.spawn([&] { return sleep_into(seconds(600), outcome); });
      },
      "tasks left");
}

Task<void> wait_into(Notify& notify, Duration timeout, int& outcome) {
  const bool notified = co_await notify.wait(timeout);
  outcome = notified ? 1 : 2;
}

TEST(Notify, wakes_all_and_times_out) {
  Loop loop;
  Notify notify(loop.executor());
  test::Tasks tasks(loop);
  int a = 0;
  int b = 0;
  int c = 0;
  tasks->spawn([&] { return wait_into(notify, seconds(600), a); });
  tasks->spawn([&] { return wait_into(notify, seconds(600), b); });
  tasks->spawn([&] { return wait_into(notify, milliseconds(1), c); });
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_EQ(c, 2);
  notify.notify_all();
  loop.run(sleep_for(milliseconds(1)));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 1);
}

TEST(WorkerPool, returns_the_value_on_the_callers_thread) {
  Loop loop;
  WorkerPool pool(2);
  const auto here = std::this_thread::get_id();
  const auto work = [&]() -> Task<std::string> {
    std::thread::id there;
    auto job = [&there] {
      there = std::this_thread::get_id();
      return std::make_unique<std::string>("done");
    };
    auto got = co_await pool.run(job);
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    co_return *got;
  };
  EXPECT_EQ(loop.run(work()), "done");
}

TEST(WorkerPool, brings_an_exception_back) {
  Loop loop;
  WorkerPool pool(1);
  const auto work = [&]() -> Task<bool> {
    auto job = [] { throw std::runtime_error("broken"); };
    bool caught = false;
    try {
      co_await pool.run(job);
    } catch (const std::runtime_error&) {
      caught = true;
    }
    co_return caught;
  };
  EXPECT_TRUE(loop.run(work()));
}

TEST(WorkerPool, a_cancelled_caller_still_gets_its_result) {
  Loop loop;
  WorkerPool pool(1);
  int outcome = 0;
  TaskGroup group(loop.executor());
  const auto work = [&]() -> Task<void> {
    auto job = [] {
      std::this_thread::sleep_for(milliseconds(20));
      return 7;
    };
    outcome = co_await pool.run(job);
    outcome += co_await pool.run(job);
  };
  group.spawn(work);
  loop.run(sleep_for(milliseconds(1)));
  loop.run(group.stop());
  EXPECT_EQ(outcome, 14);
}

}  // namespace
}  // namespace convoy::net
