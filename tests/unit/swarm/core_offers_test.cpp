#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "support/swarm_core.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;
using test::whole;

class Origin : public testing::Test {
 protected:
  Origin() : c(200, 1, true) {}
  /// A node that knows the piece layer.
  void join(PeerRef p) {
    c.join(p);
    c.say(p, bt::HaveNone{});
    c.say(p, bt::Interested{});
  }
  /// The node asks for what it was offered, gets it, and has it.
  void deliver(PeerRef p, std::uint32_t piece) {
    c.say(p, bt::RequestBlock{whole(piece)});
    send_all();
    c.say(p, bt::Have{piece});
  }
  void send_all() {
    while (const auto u = c.swarm->next_block(c.now)) {
      c.swarm->block_sent(u->peer, u->block, c.now);
      c.keep();
    }
  }
  std::vector<std::uint32_t> offered(PeerRef p) const {
    std::vector<std::uint32_t> out;
    for (const auto& h : c.sent<bt::Have>(p)) out.push_back(h.piece);
    return out;
  }
  bool was_offered(PeerRef p, std::uint32_t piece) const {
    const auto all = offered(p);
    return std::find(all.begin(), all.end(), piece) != all.end();
  }
  CoreUnderTest c;
};

TEST_F(Origin, HidesWhatItHasAndOffersFourPiecesInOrderToDifferentNodes) {
  join(1);
  join(2);
  EXPECT_EQ(c.sent<bt::HaveNone>(1).size(), 1U);
  EXPECT_TRUE(c.sent<bt::HaveAll>(1).empty());
  EXPECT_EQ(offered(1), (std::vector<std::uint32_t>{0, 1, 2, 3}));  // it was alone
  deliver(1, 0);
  EXPECT_EQ(offered(2), (std::vector<std::uint32_t>{4}));
}

TEST_F(Origin, RefusesWhatItDidNotOffer) {
  join(1);
  c.say(1, bt::RequestBlock{whole(100)});
  EXPECT_EQ(c.sent<bt::RejectBlock>(1).size(), 1U);
  EXPECT_FALSE(c.swarm->next_block(c.now));
}

TEST_F(Origin, OffersNothingToANodeThatDoesNotKnowTheLayer) {
  c.join(1);
  c.say(1, bt::HaveNone{});
  EXPECT_TRUE(offered(1).empty());
}

TEST_F(Origin, APieceWhoseHolderDiedIsOfferedAgain) {
  join(1);
  deliver(1, 0);
  join(2);
  c.clear();
  c.leave(1);
  EXPECT_FALSE(was_offered(2, 0)) << "somebody may still bring it";
  c.after(1100ms);
  EXPECT_TRUE(was_offered(2, 0));
}

TEST_F(Origin, WherePiecesTakeLongNoneIsOfferedAgainTooSoon) {
  join(1);
  std::vector<std::uint32_t> open;
  const auto ask = [&] {
    open = offered(1);
    c.clear();
    for (const auto piece : open) c.say(1, bt::RequestBlock{whole(piece)});
    send_all();
  };
  for (int i = 0; i < 2; ++i) {
    ask();
    c.after(900ms);
    for (const auto piece : open) c.say(1, bt::Have{piece});
  }
  ask();
  ASSERT_FALSE(open.empty());
  c.after(1500ms);
  EXPECT_FALSE(was_offered(1, open.front())) << "it is on its way";
  c.after(2500ms);
  EXPECT_TRUE(was_offered(1, open.front()));
}

TEST_F(Origin, APieceThatSomebodyElseHasIsNot) {
  join(1);
  deliver(1, 0);
  join(2);
  c.say(2, bt::Have{0});
  join(3);
  c.clear();
  c.leave(1);
  c.after(1500ms);
  EXPECT_FALSE(was_offered(3, 0));
}

TEST_F(Origin, StaysSixtyFourPiecesAheadAtMost) {
  join(1);
  // Everything is sent at once, but the node says of nothing that it has it.
  for (int i = 0; i < 300; ++i) {
    for (const auto p : offered(1)) c.say(1, bt::RequestBlock{whole(p)});
    send_all();
    c.now += 1ms;
    c.swarm->tick(c.now);
    c.keep();
  }
  std::set<std::uint32_t> all;
  for (const auto p : offered(1)) all.insert(p);
  EXPECT_GE(all.size(), 60U);
  EXPECT_LE(all.size(), 64U);
}

TEST_F(Origin, ANodeThatGetsNothingFromOthersIsFed) {
  CoreUnderTest o(4, 1, true);
  for (PeerRef p = 1; p <= 2; ++p) {
    o.join(p);
    o.say(p, bt::HaveNone{});
    o.say(p, bt::Interested{});
  }
  std::map<PeerRef, std::set<std::uint32_t>> got;
  const auto serve = [&] {
    for (PeerRef p = 1; p <= 2; ++p) {
      for (const auto& h : o.sent<bt::Have>(p)) {
        if (!got[p].insert(h.piece).second) continue;
        o.say(p, bt::RequestBlock{whole(h.piece)});
        while (const auto u = o.swarm->next_block(o.now)) {
          o.swarm->block_sent(u->peer, u->block, o.now);
        }
        o.say(p, bt::Have{h.piece});
      }
    }
  };
  for (int i = 0; i < 20; ++i) {
    serve();
    o.after(500ms);
  }
  EXPECT_EQ(got[1].size(), 4U);
  EXPECT_EQ(got[2].size(), 4U);
}

}  // namespace
}  // namespace convoy::swarm::core
