#include "swarm/core/peer_book.hpp"

#include <gtest/gtest.h>

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;

const bt::PeerEndpoint kA{"10.0.0.1", 1};
const Instant kStart{std::chrono::hours(1)};

TEST(PeerBook, DialsEachOnceAndBacksOff) {
  PeerBook book(1);
  book.add(kA, false, kStart);
  EXPECT_EQ(book.due(8, kStart).size(), 1U);
  EXPECT_TRUE(book.due(8, kStart).empty()) << "is being dialled";
  Instant now = kStart;
  Duration last{0};
  for (int i = 0; i < 12; ++i) {
    book.failed(kA, now);
    const Duration wait = book.next_due(now + 1h) - now;
    EXPECT_GE(wait, std::min<Duration>(last, 24s));
    EXPECT_LE(wait, 38s);
    last = wait;
    now += wait;
    ASSERT_EQ(book.due(8, now).size(), 1U);
  }
  EXPECT_GE(last, 30s);
}

TEST(PeerBook, AnOriginIsTriedAgainWithinSeconds) {
  PeerBook book(1);
  book.add(kA, true, kStart);
  Instant now = kStart;
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(book.due(8, now).size(), 1U);
    book.failed(kA, now);
    EXPECT_LE(book.next_due(now + 1h) - now, 6300ms);
    now = book.next_due(now + 1h);
  }
}

TEST(PeerBook, AFewAreDialledAtOnceAndTheOthersOneByOne) {
  PeerBook book(1);
  const auto nth = [](std::uint16_t n) { return bt::PeerEndpoint{"10.0.0.2", n}; };
  for (std::uint16_t n = 1; n <= 10; ++n) book.add(nth(n), false, kStart);
  book.add(kA, true, kStart);
  EXPECT_EQ(book.due(20, kStart).size(), 5U) << "four and the origin";
  EXPECT_EQ(book.due(20, kStart + 199ms).size(), 0U);
  EXPECT_EQ(book.due(20, kStart + 200ms).size(), 1U);
  EXPECT_EQ(book.due(20, kStart + 1200ms).size(), 5U);
  book.add(nth(11), false, kStart + 1s);
  EXPECT_EQ(book.due(20, kStart + 1s).size(), 1U) << "nothing waits any more";
}

TEST(PeerBook, ConnectedNodesAreNotDialled) {
  PeerBook book(1);
  book.add(kA, false, kStart);
  book.due(1, kStart);
  book.reached(kA, "n", kStart);
  EXPECT_TRUE(book.due(8, kStart + 1h).empty());
  book.node_gone("n", kStart + 1h);
  EXPECT_TRUE(book.due(8, kStart + 1h).empty());
  EXPECT_EQ(book.due(8, kStart + 1h + 300ms).size(), 1U);
}

TEST(PeerBook, OneThatAlwaysDropsUsBacksOffToo) {
  PeerBook book(1);
  book.add(kA, false, kStart);
  Instant now = kStart;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(book.due(8, now).size(), 1U);
    book.reached(kA, "n", now);
    book.node_gone("n", now);
    now = book.next_due(now + 1h);
  }
  EXPECT_GE(now - kStart, 60s);
}

TEST(PeerBook, KeepsNoMoreThanItsLimitAndForgetsForGood) {
  PeerBook book(1);
  for (std::uint16_t i = 0; i < 300; ++i) book.add({"10.0.0.2", i}, false, kStart);
  EXPECT_EQ(book.size(), PeerBook::kMaxPeers);
  book.add({"10.0.0.2", 0}, false, kStart);
  EXPECT_EQ(book.size(), PeerBook::kMaxPeers);
  book.forget({"10.0.0.2", 0});
  for (const auto& a : book.due(1000, kStart)) EXPECT_NE(a.port, 0);
}

}  // namespace
}  // namespace convoy::swarm::core
