#include "security/identity/brute_force.hpp"

#include <gtest/gtest.h>

namespace convoy::security {
namespace {

using namespace std::chrono_literals;

class BruteForce : public testing::Test {
 protected:
  /// n failures in a row, each as soon as it is allowed. The last wait.
  Duration fail(BruteForceGuard& guard, int n, const std::string& user, const std::string& ip) {
    Duration last{0};
    for (int i = 0; i < n; ++i) {
      now_ += guard.wait_for(user, ip, now_).value_or(Duration(0));
      guard.failed(user, ip, now_);
      last = guard.wait_for(user, ip, now_).value_or(Duration(0));
    }
    return last;
  }
  SteadyTime now_ = SteadyTime(100h);
};

TEST_F(BruteForce, FourFailuresCostNothingTheFifthDoes) {
  BruteForceGuard guard;
  EXPECT_EQ(fail(guard, 4, "alice", "10.0.0.1"), 0s);
  EXPECT_EQ(fail(guard, 1, "alice", "10.0.0.1"), 1s);
  EXPECT_TRUE(guard.wait_for("alice", "10.9.9.9", now_)) << "by user, from anywhere";
  EXPECT_TRUE(guard.wait_for("bob", "10.0.0.1", now_)) << "by address, for any user";
  EXPECT_FALSE(guard.wait_for("bob", "10.9.9.9", now_));
  EXPECT_FALSE(guard.wait_for("alice", "10.0.0.1", now_ + 1s)) << "over";
}

TEST_F(BruteForce, TheFifthIsWorthAnAlertAndOnlyThat) {
  BruteForceGuard guard;
  int alerts = 0;
  for (int i = 0; i < 8; ++i) {
    const bool alert = guard.failed("alice", "10.0.0.1", now_ += 60s);
    EXPECT_EQ(alert, i == 4) << i;
    alerts += alert;
  }
  EXPECT_EQ(alerts, 1);
}

TEST_F(BruteForce, WaitsDoubleUpToTheirLimits) {
  BruteForceGuard guard;
  EXPECT_EQ(fail(guard, 6, "alice", "10.0.0.1"), 2s);
  EXPECT_EQ(fail(guard, 1, "alice", "10.0.0.1"), 4s);
  EXPECT_EQ(fail(guard, 60, "alice", "10.0.0.1"), 15min) << "the address";
  EXPECT_LE(guard.wait_for("alice", "10.9.9.9", now_).value(), 30s)
      << "strangers cannot lock a user out for long";
}

TEST_F(BruteForce, SuccessEndsTheUsersRowNotTheAddresss) {
  BruteForceGuard guard;
  fail(guard, 4, "alice", "10.0.0.1");
  guard.succeeded("alice");
  guard.succeeded("unheard-of");
  EXPECT_EQ(fail(guard, 1, "bob", "10.0.0.1"), 1s) << "the fifth from that address";
  EXPECT_EQ(fail(guard, 4, "alice", "10.0.0.2"), 0s);
}

TEST_F(BruteForce, ForgetsAfterAnHour) {
  BruteForceGuard guard;
  fail(guard, 4, "alice", "10.0.0.1");
  now_ += 1h;
  EXPECT_EQ(fail(guard, 4, "alice", "10.0.0.1"), 0s);
  now_ += 1h;
  EXPECT_FALSE(guard.wait_for("x", "10.0.0.9", now_));
  EXPECT_EQ(guard.size(), 0u);
}

TEST_F(BruteForce, AnIpv6NetworkIsOneAddress) {
  BruteForceGuard guard;
  for (int i = 0; i < 5; ++i) {
    guard.failed("u" + std::to_string(i), "2001:db8:1:2::" + std::to_string(i), now_);
  }
  EXPECT_TRUE(guard.wait_for("x", "2001:db8:1:2:ffff::9", now_));
  EXPECT_FALSE(guard.wait_for("x", "2001:db8:1:3::1", now_));
}

TEST_F(BruteForce, AMappedIpv4AddressIsTheIpv4Address) {
  BruteForceGuard guard;
  for (int i = 0; i < 5; ++i) guard.failed("", "::ffff:10.0.0.1", now_);
  EXPECT_TRUE(guard.wait_for("x", "10.0.0.1", now_));
  EXPECT_FALSE(guard.wait_for("x", "::ffff:10.0.0.2", now_));
}

TEST_F(BruteForce, MemoryIsBounded) {
  BruteForceLimits limits;
  limits.max_entries = 100;
  BruteForceGuard guard(limits);
  for (int i = 0; i < 1000; ++i) {
    guard.failed("u" + std::to_string(i),
                 "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), now_ += 1ms);
    ASSERT_LE(guard.size(), 200u);
  }
  fail(guard, 5, "persistent", "10.9.9.9");
  EXPECT_TRUE(guard.wait_for("persistent", "10.9.9.9", now_)) << "the latest stay";
  guard.failed(std::string(1'000'000, 'x'), std::string(1'000'000, 'y'), now_);
}

}  // namespace
}  // namespace convoy::security
