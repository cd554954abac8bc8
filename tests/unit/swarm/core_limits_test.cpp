#include <gtest/gtest.h>

#include "support/swarm_core.hpp"

// The node's rate limits in the core.
namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;
using test::whole;

constexpr std::uint64_t kBlock = bt::kBlockSize;

/// Peers answer at once whatever they are asked for; how many blocks came within `time`.
std::size_t download(CoreUnderTest& c, Duration time) {
  std::size_t blocks = 0;
  for (const Instant end = c.now + time; c.now < end;) {
    const auto asked = std::exchange(c.actions, {});
    for (const auto& a : asked) {
      if (const auto* full = std::get_if<VerifyPiece>(&a)) c.verified(full->piece);
      const auto* s = std::get_if<SendMessage>(&a);
      const auto* r = s == nullptr ? nullptr : std::get_if<bt::RequestBlock>(&s->message);
      if (r == nullptr) continue;
      c.block(s->peer, r->block.piece);
      ++blocks;
    }
    if (c.actions.empty()) c.after(10ms);
  }
  return blocks;
}

std::shared_ptr<Traffic> limited(std::uint64_t down, std::uint64_t origin = 0) {
  auto t = std::make_shared<Traffic>();
  t->down = std::make_shared<TokenBucket>(down);
  t->origin = std::make_shared<TokenBucket>(origin);
  return t;
}

TEST(Limits, ANodeAsksForNoMoreThanItMayTake) {
  CoreUnderTest c(1024, 1, false, false, true, limited(8 * kBlock));
  c.join_with(1, range(1024));
  c.join_with(2, range(1024));
  const auto blocks = download(c, 10s);
  EXPECT_GE(blocks, 78U);
  EXPECT_LE(blocks, 82U);
}

TEST(Limits, OneAccountServesAllTorrents) {
  const auto traffic = limited(8 * kBlock);
  CoreUnderTest a(1024, 1, false, false, true, traffic), b(1024, 1, false, false, true, traffic);
  a.join_with(1, range(1024));
  b.join_with(1, range(1024));
  std::size_t blocks = 0;
  for (int i = 0; i < 100; ++i) blocks += download(a, 100ms) + download(b, 100ms);
  EXPECT_GE(blocks, 78U);
  EXPECT_LE(blocks, 82U);
}

TEST(Limits, WhatIsHeldBackIsSaidAndGoesOnThen) {
  CoreUnderTest c(64, 1, false, false, true, limited(kBlock));
  EXPECT_FALSE(c.swarm->held_until(c.now));
  c.join_with(1, range(64));
  EXPECT_EQ(c.requests(1), 1U);
  const auto due = c.swarm->held_until(c.now);
  ASSERT_TRUE(due);
  EXPECT_GT(*due - c.now, 900ms);
  EXPECT_LE(*due - c.now, 1100ms);
  c.now = *due - 5ms;
  c.swarm->tick(c.now);
  c.keep();
  EXPECT_EQ(c.requests(1), 1U);
  c.now = *due;
  c.swarm->tick(c.now);
  c.keep();
  EXPECT_EQ(c.requests(1), 2U);
}

TEST(Limits, AKeepAliveIsNoReasonToLookAgain) {
  CoreUnderTest c(64, 1, false, false, true, limited(kBlock));
  c.join_with(1, range(64));
  ASSERT_EQ(c.requests(1), 1U);
  c.now = c.swarm->held_until(c.now).value();
  c.say(1, bt::KeepAlive{});
  c.say(1, bt::Unknown{});
  EXPECT_EQ(c.requests(1), 1U);
  c.swarm->tick(c.now);
  c.keep();
  EXPECT_EQ(c.requests(1), 2U);
}

TEST(Limits, WhatWillNotComeIsNotCharged) {
  CoreUnderTest c(64, 1, false, false, true, limited(kBlock));
  c.join_with(1, range(64));
  ASSERT_EQ(c.requests(1), 1U);
  c.say(1, bt::RejectBlock{c.sent<bt::RequestBlock>(1).front().block});
  EXPECT_EQ(c.requests(1), 2U) << "refused: another may be asked for at once";
  c.join_with(2, range(64));
  c.leave(1);
  EXPECT_EQ(c.sent<bt::RequestBlock>(2).size(), 1U) << "gone: so may the next";
}

TEST(Limits, ARejectGivesBackNoMoreThanWasCharged) {
  CoreUnderTest c(64, 1, false, false, true, limited(100 * kBlock));
  c.join_with(1, range(64));
  const auto asked = c.sent<bt::RequestBlock>(1);
  ASSERT_EQ(asked.size(), 5U) << "what has piled up";
  c.say(1, bt::Choke{});
  c.say(1, bt::RejectBlock{{0, 0, 0xffffffff}});
  c.join_with(2, range(64));
  EXPECT_EQ(c.requests(2), 5U);
  c.say(1, bt::RejectBlock{asked.front().block});
  EXPECT_EQ(c.requests(2), 6U);
  for (int i = 0; i < 20; ++i) c.say(1, bt::RejectBlock{asked.front().block});
  EXPECT_EQ(c.requests(2), 10U);
}

TEST(Limits, TheOriginsAccountIsForOriginsAlone) {
  CoreUnderTest c(1024, 1, false, false, true, limited(0, 4 * kBlock));
  c.join(1, true);
  c.say(1, bt::HaveNone{});
  c.say(1, bt::Unchoke{});
  for (std::uint32_t i = 0; i < 512; ++i) c.say(1, bt::Have{i});
  const auto blocks = download(c, 10s);
  EXPECT_GE(blocks, 38U);
  EXPECT_LE(blocks, 42U);
  c.join_with(2, range(1024));
  EXPECT_GT(download(c, 1s), 900U);
}

TEST(Limits, WhoeverIsWaitedForComesFirst) {
  auto traffic = std::make_shared<Traffic>();
  traffic->waiting = 1;
  CoreUnderTest c(64, 1, false, false, true, traffic);
  c.join_with(1, range(64));
  EXPECT_EQ(c.requests(1), 1U) << "nobody reads this one: it goes on at a trickle";
  c.swarm->set_reader(1, 0, c.now);
  c.keep();
  EXPECT_EQ(c.requests(1), 8U);
}

TEST(Limits, OnePeerGetsNoMoreThanItsShareAndAnotherItsOwn) {
  auto traffic = std::make_shared<Traffic>();
  CoreUnderTest c(64, 1, false, true, true, traffic);
  traffic->limit_each_upload(2 * kBlock, c.now);
  c.join_with(1, {});
  c.join_with(2, {});
  std::map<PeerRef, int> served;
  for (const Instant end = c.now + 10s; c.now < end; c.after(50ms)) {
    for (PeerRef p = 1; p <= 2; ++p) c.say(p, bt::RequestBlock{whole(7)});
    while (const auto u = c.swarm->next_block(c.now)) {
      ++served[u->peer];
      c.swarm->block_sent(u->peer, u->block, c.now);
    }
    EXPECT_FALSE(c.swarm->has_uploads(c.now));
  }
  for (PeerRef p = 1; p <= 2; ++p) {
    EXPECT_GE(served[p], 19);
    EXPECT_LE(served[p], 22);
  }
  while (const auto u = c.swarm->next_block(c.now)) c.swarm->block_sent(u->peer, u->block, c.now);
  EXPECT_TRUE(c.swarm->held_until(c.now));
  traffic->limit_each_upload(0, c.now);
  EXPECT_TRUE(c.swarm->has_uploads(c.now));
}

TEST(Limits, ANodesShareIsTheSameInAllTorrents) {
  auto traffic = std::make_shared<Traffic>();
  CoreUnderTest a(8, 1, false, true, true, traffic), b(8, 1, false, true, true, traffic);
  traffic->limit_each_upload(kBlock, a.now);
  a.join(1, false, "node");
  b.join(7, false, "node");
  b.join(8, false, "other");
  for (auto [c, p] : {std::pair(&a, 1U), {&b, 7U}, {&b, 8U}}) {
    c->say(p, bt::HaveNone{});
    c->say(p, bt::Interested{});
    c->say(p, bt::RequestBlock{whole(1)});
  }
  EXPECT_TRUE(a.swarm->next_block(a.now));
  const auto next = b.swarm->next_block(b.now);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->peer, 8U);
  EXPECT_FALSE(b.swarm->next_block(b.now));
}

}  // namespace
}  // namespace convoy::swarm::core
