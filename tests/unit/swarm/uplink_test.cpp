#include "swarm/transport/uplink.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/net_loop.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::swarm {
namespace {

using namespace std::chrono_literals;

class UplinkTest : public testing::Test {
 protected:
  class Source final : public UploadSource {
   public:
    Source(UplinkTest& test, char name, int how_many, bool behind, std::uint64_t rank)
        : blocks(how_many), test_(test), name_(name), behind_(behind), rank_(rank) {}
    std::uint64_t send_next(std::uint64_t ticket, std::uint64_t) override {
      if (blocks == 0) return 0;
      --blocks;
      test_.order += name_;
      test_.uplink.done(ticket, bt::kBlockSize);
      return bt::kBlockSize;
    }
    bool background() const override { return behind_; }
    std::uint64_t rank() const override { return rank_; }
    int blocks;

   private:
    UplinkTest& test_;
    char name_;
    bool behind_;
    std::uint64_t rank_;
  };

  /// Wakes others while the uplink is busy with it, so that they begin together.
  class Starter final : public UploadSource {
   public:
    Starter(Uplink& uplink, std::vector<std::shared_ptr<Source>> others)
        : uplink_(uplink), others_(std::move(others)) {}
    std::uint64_t send_next(std::uint64_t, std::uint64_t) override {
      for (const auto& other : others_) uplink_.wake(other);
      return 0;
    }
    bool background() const override { return false; }
    std::uint64_t rank() const override { return 0; }

   private:
    Uplink& uplink_;
    std::vector<std::shared_ptr<Source>> others_;
  };

  std::shared_ptr<Source> source(char name, int blocks, bool behind, std::uint64_t rank = 1) {
    return sources.emplace_back(std::make_shared<Source>(*this, name, blocks, behind, rank));
  }
  void start() { uplink.wake(std::make_shared<Starter>(uplink, sources)); }
  /// Where a task starts at once.
  void wake_in_the_loop(const std::shared_ptr<Source>& source) {
    const auto wake = [&]() -> net::Task<void> {
      uplink.wake(source);
      co_return;
    };
    loop.run(wake());
  }
  std::ptrdiff_t count(char name, std::size_t first = std::string::npos) const {
    const std::string head = order.substr(0, first);
    return std::count(head.begin(), head.end(), name);
  }
  ~UplinkTest() override { loop.run(tasks.stop()); }

  test::ManualClock clock;
  test::Loop loop;
  net::TaskGroup tasks{loop.executor()};
  core::Traffic traffic;
  std::shared_ptr<net::RateLimiter> limiter = std::make_shared<net::RateLimiter>(loop.executor());
  Uplink uplink{loop.executor(), tasks, limiter, traffic, clock};
  std::string order;
  std::vector<std::shared_ptr<Source>> sources;
};

TEST_F(UplinkTest, SourcesTakeTurnsWhileNobodyWaits) {
  source('f', 32, false);
  source('b', 32, true);
  start();
  EXPECT_EQ(order.size(), 64U);
  EXPECT_EQ(count('b', 32), 16);
}

TEST_F(UplinkTest, TheLeastGoesFirstAndTheOthersGetEveryFourthTurn) {
  source('l', 40, false, 64);
  source('s', 24, false, 1);
  source('m', 24, false, 8);
  start();
  EXPECT_EQ(order.size(), 88U);
  EXPECT_GE(count('s', 32), 23) << order;
  EXPECT_GE(count('l', 32), 3) << order;
  EXPECT_GE(count('m', 32), 3) << order;
  EXPECT_GE(count('m', 60), 23) << order;
}

TEST_F(UplinkTest, TheLeastOfTheBackgroundWaitsAllTheSame) {
  traffic.waiting = 1;
  source('f', 60, false, 64);
  source('b', 60, true, 1);
  start();
  EXPECT_EQ(count('b', 64), 8);
}

TEST_F(UplinkTest, WhileSomebodyWaitsTheBackgroundGetsEveryEighthTurn) {
  traffic.waiting = 1;
  source('f', 60, false);
  source('b', 60, true);
  start();
  EXPECT_EQ(count('b', 64), 8);
  EXPECT_EQ(order.size(), 120U) << "and whatever the others leave";
}

TEST_F(UplinkTest, TheBackgroundHasARateOfItsOwnWhileSomebodyWaits) {
  traffic.waiting = 1;
  uplink.limit_background(4 * bt::kBlockSize);
  source('f', 10, false);
  const auto back = source('b', 1000, true);
  start();
  for (int i = 0; i < 40; ++i) {
    clock.advance(250ms);
    uplink.wake(back);
  }
  EXPECT_EQ(count('f'), 10);
  EXPECT_GE(count('b'), 38);
  EXPECT_LE(count('b'), 42);
  traffic.waiting = 0;
  uplink.wake(back);
  EXPECT_EQ(count('b'), 1000);
}

TEST_F(UplinkTest, ItLooksAgainItselfWhenTheWaitIsOver) {
  traffic.waiting = 1;
  uplink.limit_background(1);
  source('b', 10, true);
  start();
  EXPECT_LE(count('b'), 1);
  traffic.waiting = 0;
  loop.run(net::sleep_for(200ms));
  EXPECT_EQ(count('b'), 10);
}

TEST_F(UplinkTest, WhatALimitLetsPassLeavesAtOnce) {
  limiter->set_rate(1'000'000'000);
  wake_in_the_loop(source('x', 1, false));
  EXPECT_EQ(order, "x");
  wake_in_the_loop(source('y', 10, false));
  EXPECT_EQ(count('y'), 10);
}

TEST_F(UplinkTest, WhatLeftBeforeTheLimitIsPaidWithoutAnotherWake) {
  source('x', 100, false);
  start();
  limiter->set_rate(1'000'000'000);
  wake_in_the_loop(source('y', 1, false));
  EXPECT_EQ(count('y'), 1);
}

}  // namespace
}  // namespace convoy::swarm
