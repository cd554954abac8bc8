#include <gtest/gtest.h>
#include <map>

#include "support/swarm_core.hpp"

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
