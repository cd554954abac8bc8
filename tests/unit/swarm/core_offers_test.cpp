#include <algorithm>
#include <functional>
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

TEST_F(Origin, TheNextOfferGoesAlongWithTheLastBlockOfAPiece) {
  join(1);
  c.say(1, bt::RequestBlock{whole(0)});
  ASSERT_FALSE(was_offered(1, 4));
  ASSERT_TRUE(c.swarm->next_block(c.now));
  c.keep();
  EXPECT_TRUE(was_offered(1, 4)) << "before the block has left";
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

TEST_F(Origin, WhatWaitsForTheOwnUplinkIsNotOfferedToOthersAsWell) {
  join(1);
  join(2);
  for (const auto piece : offered(1)) c.say(1, bt::RequestBlock{whole(piece)});
  c.clear();
  for (int s = 0; s < 60; ++s) c.after(1s);
  EXPECT_FALSE(was_offered(1, 0) || was_offered(2, 0)) << "another blob has the uplink";
}

TEST_F(Origin, WhatANodeDoesNotTakeIsOfferedToOthers) {
  join(1);
  const auto held = offered(1);
  for (const auto piece : held) c.say(1, bt::RequestBlock{whole(piece)});
  ASSERT_TRUE(c.swarm->next_block(c.now)) << "and its socket never takes it";
  join(2);
  std::set<std::uint32_t> got;
  for (int s = 0; s < 9; ++s) {
    c.after(1s);
    for (const auto piece : offered(2)) {
      if (got.insert(piece).second) deliver(2, piece);
    }
  }
  for (const auto piece : held) EXPECT_TRUE(got.contains(piece)) << piece;
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
  for (std::size_t asked = 0, round = 0; round < 18; ++round) {
    for (; asked < offered(1).size(); ++asked) {
      c.say(1, bt::RequestBlock{whole(offered(1)[asked])});
    }
    send_all();
    c.now += 100ms;
    c.swarm->tick(c.now);
    c.keep();
  }
  std::set<std::uint32_t> all;
  for (const auto p : offered(1)) all.insert(p);
  EXPECT_GE(all.size(), 60U);
  EXPECT_LE(all.size(), 64U);
}

/// An origin of pieces of four blocks and one node at a distance. The uplink takes a block every
/// `step`.
class FarNode : public testing::Test {
 protected:
  FarNode() : c(1000, 4, true) {
    c.join(1);
    c.say(1, bt::HaveNone{});
    c.say(1, bt::Interested{});
  }

  /// Lets time pass. `delay` says how long an offer takes to be answered and a piece to be told of,
  /// by the number of pieces that are offered and not yet there.
  void run(Duration how_long, Duration step, const std::function<Duration(std::size_t)>& delay) {
    const Instant end = c.now + how_long;
    for (; c.now < end; c.now += step) {
      const auto offers = c.sent<bt::Have>(1);
      for (; seen < offers.size(); ++seen) {
        requests.emplace(c.now + delay(offers.size() - told), offers[seen].piece);
      }
      most_open = std::max(most_open, offers.size() - told);
      for (; !requests.empty() && requests.begin()->first <= c.now;
           requests.erase(requests.begin())) {
        for (std::uint32_t b = 0; b < 4; ++b) {
          c.say(1,
                bt::RequestBlock{{requests.begin()->second, b * bt::kBlockSize, bt::kBlockSize}});
        }
      }
      if (const auto u = c.swarm->next_block(c.now)) {
        c.swarm->block_sent(u->peer, u->block, c.now);
        c.keep();
        if (u->block.begin == 3 * bt::kBlockSize) haves.emplace(c.now + delay(0), u->block.piece);
      }
      for (; !haves.empty() && haves.begin()->first <= c.now; haves.erase(haves.begin())) {
        c.say(1, bt::Have{haves.begin()->second});
        ++told;
      }
      c.swarm->tick(c.now);
      c.keep();
    }
  }

  CoreUnderTest c;
  std::multimap<Instant, std::uint32_t> requests, haves;
  std::size_t seen = 0, told = 0, most_open = 0;
};

TEST_F(FarNode, ALongPathIsFilled) {
  run(4s, 4ms, [](std::size_t) { return 80ms; });
  EXPECT_GE(told, 200U);  // the uplink takes 250
}

TEST_F(FarNode, OffersThatWaitBehindOffersDoNotMakeMoreOfThem) {
  run(3s, 1ms, [](std::size_t open) { return 20ms + open * 4ms; });
  // 16 MiB/s for 60 ms, 1 MiB for the queues, and those that are on their way.
  EXPECT_LE(most_open, 60U);
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

/// All 200 pieces are out, and the last ones are on their way to the second of two nodes.
class LastPieces : public Origin {
 protected:
  LastPieces() {
    c = CoreUnderTest(200, 1, true, false, true, shared);
    join(1);
    c.after(1s);
    join(2);
  }
  void give_out(std::uint32_t pieces) {
    std::set<std::uint32_t> given;
    for (bool more = true; more;) {
      more = false;
      for (const PeerRef p : {PeerRef{1}, PeerRef{2}}) {
        for (const auto piece : offered(p)) {
          if (piece >= pieces || !given.insert(piece).second) continue;
          deliver(p, piece);
          c.say(p == 1 ? 2 : 1, bt::Have{piece});
          more = true;
        }
      }
    }
    c.after(50ms);
  }
  std::vector<std::uint32_t> both() const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < 200; ++i) {
      if (was_offered(1, i) && was_offered(2, i)) out.push_back(i);
    }
    return out;
  }
  std::shared_ptr<Traffic> shared = std::make_shared<Traffic>();
};

TEST_F(LastPieces, GoToWhoeverBeganFirstAsWell) {
  give_out(197);
  const auto twice = both();
  ASSERT_FALSE(twice.empty());
  for (const auto piece : twice) EXPECT_GE(piece, 190U);
  const auto last = offered(1).back();
  EXPECT_EQ(std::count(twice.begin(), twice.end(), last), 1) << "the second copy is the first's";
}

TEST_F(LastPieces, AreFewOfAll) {
  give_out(190);
  c.after(500ms);
  EXPECT_EQ(both().size(), 200U / 64);
}

TEST_F(LastPieces, LeaveTheUplinkToATorrentThatHasGivenLess) {
  shared->giving += 1;
  give_out(197);
  EXPECT_TRUE(both().empty());
}

TEST_F(LastPieces, AreNotMadeTwiceBeforeAllAreOut) {
  give_out(50);
  c.after(500ms);
  EXPECT_TRUE(both().empty());
  EXPECT_EQ(shared->giving, 1U);
  c.leave(1);
  c.leave(2);
  c.after(50ms);
  EXPECT_EQ(shared->giving, 0U) << "nobody wants it";
}

/// Four nodes of which each gains so many pieces between two looks.
class Paces : public Origin {
 protected:
  Paces() {
    for (PeerRef p = 1; p <= 4; ++p) join(p);
    offers(1);  // they are near: they ask at once
  }
  void gain(PeerRef p, std::uint32_t pieces) {
    for (std::uint32_t i = 199; pieces > 0; --i) {
      if (!had.insert({p, i}).second) continue;
      c.say(p, bt::Have{i});
      --pieces;
    }
  }
  void gain(const std::map<PeerRef, std::uint32_t>& pieces) {
    for (const auto& [p, n] : pieces) gain(p, n);
    c.now += 1001ms;
    c.swarm->tick(c.now);
    c.keep();
  }
  /// How many offers each node gets in so many rounds in which all are taken.
  std::map<PeerRef, std::size_t> offers(int rounds) {
    std::map<PeerRef, std::size_t> out;
    for (int i = 0; i < rounds; ++i) {
      std::vector<std::pair<PeerRef, std::uint32_t>> open;
      for (PeerRef p = 1; p <= 4; ++p) {
        for (const auto piece : offered(p)) open.emplace_back(p, piece);
        out[p] += offered(p).size();
      }
      c.clear();
      for (const auto& [p, piece] : open) deliver(p, piece);
    }
    return out;
  }
  std::set<std::pair<PeerRef, std::uint32_t>> had;
};

TEST_F(Paces, FirstCopiesGoToNodesThatAreNotSlow) {
  gain({{1, 20}, {2, 20}, {3, 20}, {4, 20}});
  gain({{1, 20}, {2, 20}, {3, 20}, {4, 5}});
  offers(1);  // made before
  EXPECT_GT(offers(3).at(4), 0U) << "it may have been a moment";
  gain({{1, 20}, {2, 20}, {3, 20}, {4, 0}});
  offers(1);
  const auto got = offers(3);
  EXPECT_GT(got.at(1), 0U);
  EXPECT_EQ(got.at(4), 0U);
}

TEST_F(Paces, OneThatClaimsToBeFastMakesNobodySlow) {
  gain({{1, 20}, {2, 20}, {3, 20}, {4, 20}});
  gain({{1, 120}, {2, 30}, {3, 30}, {4, 30}});
  offers(1);
  for (const auto& [p, n] : offers(6)) EXPECT_GT(n, 0U) << p;
}

TEST_F(Paces, ANodeThatJoinsLaterIsNotSlow) {
  c.leave(4);
  gain({{1, 20}, {2, 20}, {3, 20}});
  gain({{1, 10}, {2, 10}, {3, 10}});
  join(4);
  gain({{1, 20}, {2, 20}, {3, 20}, {4, 1}});
  offers(1);
  EXPECT_GT(offers(6).at(4), 0U);
}

}  // namespace
}  // namespace convoy::swarm::core
