#include <gtest/gtest.h>

#include "support/swarm_core.hpp"
#include "swarm/core/limits.hpp"
#include "swarm/core/traffic.hpp"

// Pieces that neighbours are told of before they are here.
namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;

constexpr PeerRef kOrigin = 99;

class Promised : public testing::Test {
 protected:
  Promised() { c.join_with(kOrigin, {}, true); }

  void offer(std::uint32_t piece, PeerRef origin = kOrigin) { c.say(origin, bt::Have{piece}); }
  void blocks(std::uint32_t piece) {
    for (const std::uint32_t at : range(2)) c.block(kOrigin, piece, at);
  }
  void arrives(std::uint32_t piece) {
    blocks(piece);
    c.verified(piece);
  }
  static bt::BlockRef block(std::uint32_t piece, std::uint32_t at) {
    return {piece, at * bt::kBlockSize, bt::kBlockSize};
  }
  void ask(PeerRef peer, std::uint32_t piece) {
    for (const std::uint32_t at : range(2)) c.say(peer, bt::RequestBlock{block(piece, at)});
  }
  std::size_t served() {
    std::size_t n = 0;
    while (const auto u = c.swarm->next_block(c.now)) {
      c.swarm->block_sent(u->peer, u->block, c.now);
      ++n;
    }
    return n;
  }
  std::size_t told(PeerRef peer) const { return c.sent<bt::Have>(peer).size(); }
  std::vector<PeerRef> who_is_told(std::uint32_t neighbours) const {
    std::vector<PeerRef> out;
    for (PeerRef p = 1; p <= neighbours; ++p) {
      if (told(p) > 0) out.push_back(p);
    }
    return out;
  }
  std::size_t refused(PeerRef peer) const { return c.sent<bt::RejectBlock>(peer).size(); }

  CoreUnderTest c{40, 2};
};

TEST_F(Promised, HalfOfTheNeighboursAreToldBeforeItIsHereAndAllOnce) {
  for (PeerRef p = 1; p <= 4; ++p) c.join_with(p, {});
  offer(0);
  EXPECT_EQ(who_is_told(4).size(), 2U);
  arrives(0);
  for (PeerRef p = 1; p <= 4; ++p) EXPECT_EQ(told(p), 1U) << p;
  EXPECT_EQ(told(kOrigin), 1U);
}

TEST_F(Promised, ThoseThatHaveMostAreTold) {
  c.join_with(1, {30, 31, 32});
  c.join_with(2, {30});
  c.join_with(3, {30, 31});
  c.join_with(4, {});
  offer(0);
  EXPECT_EQ(who_is_told(4), (std::vector<PeerRef>{1, 3}));
}

TEST_F(Promised, NoMoreThanEightAreTold) {
  for (PeerRef p = 1; p <= 40; ++p) c.join_with(p, {});
  offer(0);
  EXPECT_EQ(who_is_told(40).size(), 8U);
}

TEST_F(Promised, WhoHasItOrWantsNothingIsNotTold) {
  c.join_with(1, {0});
  c.join(2);
  c.say(2, bt::HaveNone{});
  offer(0);
  EXPECT_TRUE(who_is_told(2).empty());
}

TEST_F(Promised, NeitherOriginsNorOtherZonesAreTold) {
  c.join_with(1, {}, true);
  c.swarm->connected(2, {.node = "node-2", .max_requests = 250, .other_zone = true}, c.now);
  c.say(2, bt::HaveNone{});
  c.say(2, bt::Interested{});
  offer(0);
  EXPECT_TRUE(who_is_told(2).empty());
  arrives(0);
  EXPECT_EQ(who_is_told(2), (std::vector<PeerRef>{1, 2}));
}

TEST_F(Promised, ATorrentThatYieldsPromisesNothing) {
  const auto traffic = std::make_shared<Traffic>();
  traffic->waiting = 1;
  c = CoreUnderTest(40, 2, false, false, true, traffic);
  c.join_with(kOrigin, {}, true);
  c.join_with(1, {});
  offer(0);
  EXPECT_EQ(told(1), 0U);
  c.swarm->set_reader(1, 0, c.now);
  c.keep();
  EXPECT_EQ(told(1), 1U);
}

TEST_F(Promised, WhoConnectsLaterIsToldWhenItIsHere) {
  c.join_with(1, {});
  offer(0);
  c.join_with(2, {});
  EXPECT_EQ(told(2), 0U);
  arrives(0);
  EXPECT_EQ(told(1), 1U);
  EXPECT_EQ(told(2), 1U);
}

TEST_F(Promised, ARequestWaitsUntilThePieceIsVerified) {
  c.join_with(1, {});
  offer(0);
  ask(1, 0);
  EXPECT_EQ(served(), 0U);
  blocks(0);
  EXPECT_FALSE(c.swarm->has_uploads(c.now));
  c.verified(0);
  EXPECT_TRUE(c.swarm->has_uploads(c.now));
  EXPECT_EQ(served(), 2U);
  EXPECT_EQ(refused(1), 0U);
}

TEST_F(Promised, ARequestIsServedWhenThePieceComesFromElsewhere) {
  c.join_with(1, {});
  offer(0);
  ask(1, 0);
  c.swarm->injected(0, c.now);
  EXPECT_EQ(served(), 2U);
}

TEST_F(Promised, WhenTheOriginIsGoneRequestsAreRefusedAndTheNewsComesAgain) {
  c.join_with(1, {});
  offer(0);
  ask(1, 0);
  c.leave(kOrigin);
  EXPECT_EQ(refused(1), 2U);
  ask(1, 0);
  EXPECT_EQ(refused(1), 4U) << "it is not promised any more";
  c.clear();
  c.swarm->injected(0, c.now);
  c.keep();
  EXPECT_EQ(told(1), 1U);
  EXPECT_EQ(served(), 0U);
}

TEST_F(Promised, WhatTheOriginTakesBackIsRefused) {
  c.join_with(1, {});
  offer(0);
  offer(1);
  ask(1, 0);
  ask(1, 1);
  for (const std::uint32_t at : range(2)) c.say(kOrigin, bt::RejectBlock{block(0, at)});
  ASSERT_EQ(refused(1), 2U);
  EXPECT_EQ(c.sent<bt::RejectBlock>(1)[0].block.piece, 0U);
  arrives(1);
  EXPECT_EQ(served(), 2U);
}

TEST_F(Promised, WhatCameWrongIsRefusedAndNotPromisedAgain) {
  c.join_with(1, {});
  c.join_with(98, {}, true);
  offer(0);
  ask(1, 0);
  blocks(0);
  c.failed(0, {Hash256{1}, Hash256{2}});
  EXPECT_EQ(refused(1), 2U);
  c.clear();
  offer(0, 98);
  EXPECT_EQ(c.sent<bt::RequestBlock>(98).size(), 2U);
  EXPECT_EQ(told(1), 0U);
}

TEST_F(Promised, WhatWaitsCanBeCancelled) {
  c.join_with(1, {});
  offer(0);
  ask(1, 0);
  c.say(1, bt::CancelBlock{block(0, 1)});
  EXPECT_EQ(refused(1), 1U);
  arrives(0);
  EXPECT_EQ(served(), 1U);
}

TEST_F(Promised, NoMoreWaitsThanAQueueHolds) {
  c.join_with(1, {});
  offer(0);
  for (std::uint32_t i = 0; i < kMaxQueuedRequests; ++i) {
    c.say(1, bt::RequestBlock{block(0, 0)});
  }
  EXPECT_EQ(refused(1), 0U);
  c.say(1, bt::RequestBlock{block(0, 1)});
  EXPECT_EQ(refused(1), 1U);
}

}  // namespace
}  // namespace convoy::swarm::core
