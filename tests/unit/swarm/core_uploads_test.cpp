#include <gtest/gtest.h>
#include <map>

#include "support/swarm_core.hpp"
#include "swarm/core/piece_set.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;
using test::whole;

TEST(Uploads, WhoHasTheFewestPiecesIsServedFirst) {
  CoreUnderTest c(64, 1, false, true);
  c.join_with(1, range(30));
  c.join_with(2, range(4));
  c.join_with(3, range(20));
  for (PeerRef p = 1; p <= 3; ++p) c.say(p, bt::RequestBlock{whole(63)});
  std::vector<PeerRef> order;
  while (const auto u = c.swarm->next_block(c.now)) order.push_back(u->peer);
  EXPECT_EQ(order, (std::vector<PeerRef>{2, 3, 1}));
}

TEST(Uploads, WhoGainedTheFewestForItsTimeIsServedFirst) {
  CoreUnderTest c(128, 1, false, true);
  c.join_with(1, range(40));
  c.after(10s);
  c.join_with(2, range(8));  // fewer, but faster
  c.after(1s);
  for (PeerRef p = 1; p <= 2; ++p) c.say(p, bt::RequestBlock{whole(127)});
  const auto u = c.swarm->next_block(c.now);
  ASSERT_TRUE(u);
  EXPECT_EQ(u->peer, 1U);
}

TEST(Uploads, EverySecondTurnIsForWhoLostMostSinceItBegan) {
  CoreUnderTest c(128, 1, false, true);
  c.join_with(3, {});
  for (const std::uint32_t piece : range(64)) {  // 100 a second is what a link brings here
    c.say(3, bt::RequestBlock{whole(piece)});
    const auto u = c.swarm->next_block(c.now);
    ASSERT_TRUE(u);
    c.now += 10ms;
    c.swarm->block_sent(u->peer, u->block, c.now);
  }
  c.leave(3);
  c.join_with(1, range(4));
  c.swarm->connected(2, {.node = "node-2", .max_requests = 250, .age = 20s}, c.now);
  c.say(2, bt::HaveNone{});
  for (const std::uint32_t piece : range(8)) c.say(2, bt::Have{piece});
  c.join_with(4, {100, 101, 102, 103});  // or they would be first copies
  for (const std::uint32_t at : range(2)) {
    c.say(1, bt::RequestBlock{whole(100 + at)});
    c.say(2, bt::RequestBlock{whole(102 + at)});
  }
  std::map<PeerRef, int> served;
  for (int i = 0; i < 2; ++i) {
    const auto u = c.swarm->next_block(c.now);
    ASSERT_TRUE(u);
    c.swarm->block_sent(u->peer, u->block, c.now);
    ++served[u->peer];
  }
  EXPECT_EQ(served, (std::map<PeerRef, int>{{1, 1}, {2, 1}}));
}

TEST(Uploads, PiecesBroughtAlongAreNoGain) {
  CoreUnderTest c(64, 1, false, true);
  c.join(1);
  c.join(2);
  PieceSet brought(64);
  for (const std::uint32_t piece : range(40)) brought.set(piece);
  c.say(1, bt::Bitfield{brought.to_wire()});
  c.say(2, bt::HaveNone{});
  for (const std::uint32_t piece : range(2)) c.say(2, bt::Have{piece});
  for (PeerRef p = 1; p <= 2; ++p) c.say(p, bt::RequestBlock{whole(63)});
  const auto u = c.swarm->next_block(c.now);
  ASSERT_TRUE(u);
  EXPECT_EQ(u->peer, 1U);
}

/// One peer is ahead, the other, which is slow, asks for a block whenever one was sent.
class Ahead : public testing::Test {
 protected:
  Ahead() {
    c_.join_with(1, range(30));
    c_.join_with(2, {});
    c_.join_with(3, {62, 63});  // or they would be first copies
  }
  PeerRef serve() {
    c_.say(2, bt::RequestBlock{whole(62)});
    const auto u = c_.swarm->next_block(c_.now);
    if (!u) return 0;
    c_.swarm->block_sent(u->peer, u->block, c_.now);
    return u->peer;
  }
  /// For how long the first one waits, where a block leaves every so often.
  Duration wait_of_the_first(Duration gap) {
    for (int i = 0; i < 20; ++i, c_.now += gap) EXPECT_EQ(serve(), 2U);
    c_.say(1, bt::RequestBlock{whole(63)});
    const Instant since = c_.now;
    while (serve() == 2 && c_.now - since < 60s) c_.now += gap;
    return c_.now - since;
  }

  CoreUnderTest c_{64, 1, false, true};
};

TEST_F(Ahead, NobodyWaitsLong) { EXPECT_EQ(wait_of_the_first(10ms), 1s); }

TEST_F(Ahead, OneWaitsForSixteenBlocksOfASlowUplink) {
  const Duration wait = wait_of_the_first(125ms);
  EXPECT_GE(wait, 1750ms);
  EXPECT_LE(wait, 2250ms);
}

class FirstCopies : public testing::Test {
 protected:
  /// Piece 63 is here alone; the second peer, which is ahead, wants it behind another one.
  FirstCopies() {
    c.join_with(1, {});
    c.join_with(2, range(30));
    c.join_with(3, range(63));
    c.say(1, bt::RequestBlock{whole(40)});
    c.say(2, bt::RequestBlock{whole(41)});
    c.say(2, bt::RequestBlock{whole(63)});
  }
  std::uint32_t next() {
    const auto u = c.swarm->next_block(c.now);
    if (!u) return 0;
    c.swarm->block_sent(u->peer, u->block, c.now);
    return u->block.piece;
  }
  CoreUnderTest c{64, 1, false, true};
};

TEST_F(FirstCopies, GoFirstWhenTheyHaveWaitedAMoment) {
  c.now += 49ms;
  EXPECT_EQ(next(), 40U);
  c.now += 1ms;
  EXPECT_EQ(next(), 63U);
  EXPECT_EQ(next(), 41U);
}

TEST_F(FirstCopies, AreNoneOnceSomebodyElseHasThePiece) {
  c.say(3, bt::Have{63});
  c.now += 50ms;
  EXPECT_EQ(next(), 40U);
}

TEST_F(FirstCopies, ThatNobodyTellsOfGoFirstTwiceAndNoMore) {
  for (int i = 0; i < 10; ++i) c.say(2, bt::RequestBlock{whole(63)});
  c.now += 50ms;
  EXPECT_EQ(next(), 63U);
  EXPECT_EQ(next(), 63U);
  EXPECT_EQ(next(), 40U);
}

TEST(Uploads, APeerIsBusyUntilItsBlockHasLeft) {
  CoreUnderTest c(8, 1, false, true);
  c.join_with(1, {});
  c.say(1, bt::RequestBlock{whole(1)});
  c.say(1, bt::RequestBlock{whole(2)});
  const auto first = c.swarm->next_block(c.now);
  ASSERT_TRUE(first);
  EXPECT_FALSE(c.swarm->next_block(c.now));
  c.swarm->block_sent(1, first->block, c.now);
  EXPECT_TRUE(c.swarm->next_block(c.now));
}

TEST(Uploads, ThoseFarBehindGetEveryEighthTurn) {
  CoreUnderTest c(256, 1, false, true);
  c.join_with(1, range(250));
  c.join_with(2, {});
  std::map<PeerRef, int> served;
  for (int i = 0; i < 64; ++i) {
    for (PeerRef p = 1; p <= 2; ++p) c.say(p, bt::RequestBlock{whole(255)});
    const auto u = c.swarm->next_block(c.now);
    ASSERT_TRUE(u);
    ++served[u->peer];
    c.swarm->block_sent(u->peer, u->block, c.now);
  }
  EXPECT_EQ(served[2], 8);
  EXPECT_EQ(served[1], 56);
}

TEST(Uploads, ACancelledBlockIsNotSent) {
  CoreUnderTest c(8, 1, false, true);
  c.join_with(1, {});
  c.say(1, bt::RequestBlock{whole(1)});
  c.say(1, bt::CancelBlock{whole(1)});
  EXPECT_FALSE(c.swarm->next_block(c.now));
  EXPECT_EQ(c.sent<bt::RejectBlock>(1).size(), 1U);
}

}  // namespace
}  // namespace convoy::swarm::core
