#include <gtest/gtest.h>

#include "support/swarm_core.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;
using test::whole;

TEST(Violations, EachEndsTheConnection) {
  const bt::Bitfield spare_bit{Bytes{0xff, 0xff}};
  const std::vector<std::vector<bt::Message>> cases{
      {bt::Interested{}},
      {bt::RequestBlock{whole(0)}},
      {bt::HaveNone{}, bt::HaveAll{}},
      {bt::HaveNone{}, bt::Have{10}},
      {spare_bit},
      {bt::Bitfield{Bytes{0xff}}},
      {bt::HaveNone{}, bt::RequestBlock{{0, 1, 16384}}, bt::RequestBlock{{99, 0, 16384}}},
      {bt::HaveNone{}, bt::RequestBlock{{0, 0, 16383}}, bt::RequestBlock{{0, 0, 32768}}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CoreUnderTest c(10);
    c.join(1);
    for (const auto& m : cases[i]) c.say(1, m);
    ASSERT_EQ(c.did<DropPeer>().size(), 1U) << i;
    EXPECT_EQ(c.did<DropPeer>()[0].code, "peer_violation") << i;
    EXPECT_EQ(c.swarm->peer_count(), 0U) << i;
  }
}

TEST(Violations, TheLastPieceIsWithinTheLimit) {
  CoreUnderTest c(10);
  c.join(1);
  c.say(1, bt::Bitfield{Bytes{0xff, 0xc0}});
  c.say(1, bt::Have{9});
  EXPECT_TRUE(c.did<DropPeer>().empty());
}

TEST(Violations, BlocksNobodyAskedForEndIt) {
  CoreUnderTest c(10);
  c.join_with(1, {});
  for (int i = 0; i < 63; ++i) EXPECT_EQ(c.block(1, 3), Arrival::unsolicited);
  EXPECT_TRUE(c.did<DropPeer>().empty());
  c.block(1, 3);
  EXPECT_EQ(c.did<DropPeer>().size(), 1U);
  EXPECT_EQ(c.swarm->counts().from_peers, 0U);
}

TEST(Violations, MoreTicketsThanSixteenAtOnceAndOneASecondEndIt) {
  CoreUnderTest c(10);
  c.join_with(1, {});
  const auto show = [&] {
    c.swarm->ticket_shown(1, c.now);
    c.keep();
    return c.did<DropPeer>().empty();
  };
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(show());
  for (int i = 0; i < 40; ++i) {
    c.now += 1s;
    EXPECT_TRUE(show());
  }
  EXPECT_FALSE(show());
}

TEST(Swarm, ReadableBytesAreThoseInARow) {
  CoreUnderTest c(4);
  c.join_with(1, range(4));
  for (const std::uint32_t p : {0U, 1U, 3U}) {
    c.block(1, p);
    c.verified(p);
  }
  EXPECT_EQ(c.swarm->readable_from(0), 2U * bt::kBlockSize);
  EXPECT_EQ(c.swarm->readable_from(100), 2U * bt::kBlockSize - 100);
  EXPECT_EQ(c.swarm->readable_from(2 * bt::kBlockSize), 0U);
  EXPECT_EQ(c.swarm->readable_from(3 * bt::kBlockSize + 1), bt::kBlockSize - 1);
  EXPECT_EQ(c.swarm->readable_from(4 * bt::kBlockSize), 0U);
  c.block(1, 2);
  c.verified(2);
  EXPECT_EQ(c.did<Completed>().size(), 1U);
  EXPECT_TRUE(c.swarm->complete());
}

TEST(Swarm, AmongManyNewsOfAPieceThatFewHaveGoOutAtOnce) {
  CoreUnderTest c(32);
  c.join_with(1, {10, 11, 12, 20, 30});
  for (PeerRef p = 2; p <= 4; ++p) c.join_with(p, {20, 30});
  for (PeerRef p = 5; p <= 8; ++p) c.join_with(p, {20});
  const auto told = [&](std::uint32_t piece) {
    c.clear();
    c.block(1, piece);
    c.verified(piece);
    for (const auto& s : c.did<SendMessage>()) {
      const auto* have = std::get_if<bt::Have>(&s.message);
      if (s.peer == 8 && have != nullptr && have->piece == piece) return s.wait;
    }
    return Duration::max();
  };
  c.swarm->set_place({0, 64});
  EXPECT_EQ(told(12), Duration{}) << "more may come the next moment";
  c.swarm->set_place({0, 64});
  EXPECT_GT(told(11), Duration{}) << "a piece reaches 64 in few hops";
  c.swarm->set_place({0, 65});
  EXPECT_EQ(told(10), Duration{}) << "one of eight has it";
  EXPECT_GT(told(30), Duration{}) << "half of them have it";
  EXPECT_LE(told(20), 200ms) << "and it had it already";
}

TEST(Swarm, APieceFromElsewhereCancelsItsRequests) {
  CoreUnderTest c(4);
  c.join_with(1, range(4));
  c.swarm->injected(2, c.now);
  c.keep();
  EXPECT_EQ(c.sent<bt::CancelBlock>(1).size(), 1U);
  EXPECT_TRUE(c.swarm->has(2));
}

}  // namespace
}  // namespace convoy::swarm::core
