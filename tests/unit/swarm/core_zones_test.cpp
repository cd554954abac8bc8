#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "support/swarm_core.hpp"
#include "swarm/core/zones.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::whole;

constexpr std::uint64_t kSalt = 0x5eed;

std::uint32_t owners_of(std::uint32_t piece, std::uint32_t count, std::uint32_t attempt) {
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < count; ++i) n += owns({i, count}, kSalt, piece, attempt) ? 1 : 0;
  return n;
}

TEST(Ownership, EachPieceHasOneOwnerAndTwiceAsManyWithEachAttempt) {
  for (const std::uint32_t count : {1U, 2U, 3U, 16U, 500U}) {
    for (std::uint32_t piece = 0; piece < 50; ++piece) {
      for (std::uint32_t attempt = 0; attempt < 12; ++attempt) {
        EXPECT_EQ(owners_of(piece, count, attempt), std::min(count, 1U << attempt));
      }
    }
  }
}

TEST(Ownership, IsSpreadEvenlyAndDiffersFromBlobToBlob) {
  constexpr std::uint32_t kCount = 16, kPieces = 4096;
  std::uint32_t moved = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    std::uint32_t n = 0;
    for (std::uint32_t piece = 0; piece < kPieces; ++piece) {
      const bool mine = owns({i, kCount}, kSalt, piece, 0);
      n += mine ? 1 : 0;
      moved += mine != owns({i, kCount}, kSalt + 1, piece, 0) ? 1 : 0;
    }
    EXPECT_NEAR(n, kPieces / kCount, kPieces / kCount / 4);
  }
  EXPECT_GT(moved, kPieces);
}

TEST(Ownership, APlaceThatCannotBeIsTakenForTheNearestThatCan) {
  for (std::uint32_t piece = 0; piece < 100; ++piece) {
    EXPECT_TRUE(owns({0, 0}, kSalt, piece, 0));
    EXPECT_EQ(owns({99, 4}, kSalt, piece, 0), owns({3, 4}, kSalt, piece, 0));
    EXPECT_TRUE(owns({99, 4}, kSalt, piece, ~0U));
  }
}

/// A node with a neighbour at home, peer 1, and one beyond the border, peer 2.
class AtTheBorder : public testing::Test {
 protected:
  AtTheBorder() : c(64) {}
  void meet(PeerRef p, bool other_zone, bool origin = false) {
    c.swarm->connected(p, {"node-" + std::to_string(p), origin, 250, other_zone}, c.now);
    c.keep();
    c.say(p, bt::HaveNone{});
    c.say(p, bt::Unchoke{});
    c.say(p, bt::Interested{});
  }
  void stand(std::uint32_t index, std::uint32_t count) { c.swarm->set_place({index, count}); }
  std::set<std::uint32_t> asked(PeerRef p) const {
    std::set<std::uint32_t> out;
    for (const auto& r : c.sent<bt::RequestBlock>(p)) out.insert(r.block.piece);
    return out;
  }
  /// What is asked of the peer comes; returns how many pieces did.
  std::size_t serve(PeerRef p) {
    std::size_t n = 0;
    for (auto open = asked(p); !open.empty(); open = asked(p)) {
      bool news = false;
      for (const std::uint32_t piece : open) {
        if (c.swarm->has(piece)) continue;
        c.block(p, piece);
        c.verified(piece);
        ++n;
        news = true;
      }
      if (!news) break;
    }
    return n;
  }
  CoreUnderTest c;
};

TEST_F(AtTheBorder, OnlyWhatThisNodeOwnsIsAskedForThere) {
  stand(1, 4);
  meet(1, false);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  const std::size_t got = serve(2);
  EXPECT_GT(got, 4U);
  EXPECT_LT(got, 30U);
  EXPECT_EQ(got, c.swarm->counts().over_border / bt::kBlockSize);
}

TEST_F(AtTheBorder, ALoneNodeOwnsEverything) {
  stand(0, 1);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  EXPECT_EQ(serve(2), 64U);
  EXPECT_TRUE(c.swarm->complete());
}

TEST_F(AtTheBorder, NeighboursCountEvenWhenTheTrackerKnewOfNone) {
  stand(0, 1);
  for (PeerRef p = 10; p < 17; ++p) meet(p, false);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  EXPECT_LT(serve(2), 24U);
}

TEST_F(AtTheBorder, WhatIsAtHomeIsAskedForAtHome) {
  stand(0, 1);
  meet(1, false);
  meet(2, true);
  for (std::uint32_t p = 0; p < 8; ++p) c.say(1, bt::Have{p});
  c.clear();
  for (std::uint32_t p = 0; p < 8; ++p) c.say(2, bt::Have{p});
  serve(1);
  EXPECT_TRUE(asked(2).empty());
}

TEST_F(AtTheBorder, WhatTheOriginMayHaveGivenToANeighbourIsAskedForThereALittleLater) {
  stand(0, 1);
  meet(1, false);
  meet(2, true);
  meet(3, false, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  EXPECT_TRUE(asked(2).empty());
  for (std::uint32_t p = 0; p < 64; p += 2) c.say(1, bt::Have{p});
  c.after(100ms);
  serve(2);
  serve(1);
  const auto across = asked(2);
  EXPECT_GT(across.size(), 8U);
  for (const std::uint32_t piece : across) EXPECT_EQ(piece % 2, 1U);
}

TEST_F(AtTheBorder, APieceOfADeadOwnerIsTakenOnAfterASecondEach) {
  stand(0, 4);
  meet(1, false);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  std::size_t got = serve(2);
  EXPECT_LT(got, 32U);
  for (int i = 0; i < 40 && !c.swarm->complete(); ++i) {  // all others are dead
    c.after(100ms);
    got += serve(2);
  }
  EXPECT_EQ(got, 64U);
  EXPECT_TRUE(c.swarm->complete());
}

TEST_F(AtTheBorder, APieceThatIsOvertakenByLaterOnesIsTakenOnThoughOthersCome) {
  stand(0, 2);
  meet(1, false);
  meet(2, true);
  c.say(2, bt::Have{0});
  std::uint32_t lost = 0;  // the first piece that is not this node's
  while (c.sent<bt::RequestBlock>(2).size() == lost + 1) c.say(2, bt::Have{++lost});
  serve(2);
  c.clear();
  for (std::uint32_t p = lost + 1; p < 64; ++p) {
    c.after(100ms);
    c.say(2, bt::Have{p});
    serve(2);
    c.say(1, bt::Have{p});  // its owner has it at once
    serve(1);
    if (asked(2).contains(lost)) break;
  }
  EXPECT_TRUE(asked(2).contains(lost));
  EXPECT_FALSE(c.swarm->complete());
}

TEST_F(AtTheBorder, OverAThinLineNobodyTakesOnWhatOnlyWaits) {
  stand(0, 4);
  meet(1, false);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  serve(2);
  c.clear();
  for (std::uint32_t p = 0; p < 64; ++p) {  // two pieces a second come from their owners
    if (c.swarm->has(p)) continue;
    c.after(500ms);
    c.say(1, bt::Have{p});
    serve(1);
  }
  EXPECT_TRUE(asked(2).empty());
  EXPECT_TRUE(c.swarm->complete());
}

TEST_F(AtTheBorder, ANeighbourThatHasItButIsSilentDoesNotKeepItAway) {
  stand(0, 1);
  meet(1, false);
  meet(2, true);
  c.say(1, bt::Have{5});
  c.say(2, bt::Have{5});
  EXPECT_TRUE(asked(2).empty());
  c.after(5s);
  EXPECT_TRUE(asked(2).contains(5));
}

TEST_F(AtTheBorder, WhenTheOnlyHolderAtHomeGoesThePieceIsAskedForThere) {
  stand(0, 1);
  meet(1, false);
  meet(2, true);
  c.say(1, bt::Have{5});
  c.say(2, bt::Have{5});
  c.leave(1);
  EXPECT_TRUE(asked(2).contains(5));
}

TEST_F(AtTheBorder, WhoLeavesTakesItsPiecesAlong) {
  stand(0, 1);
  meet(2, true);
  for (std::uint32_t p = 0; p < 64; ++p) c.say(2, bt::Have{p});
  c.leave(2);
  c.clear();
  meet(3, true);
  c.after(3s);
  EXPECT_TRUE(asked(3).empty());
  c.say(3, bt::Have{7});
  EXPECT_EQ(asked(3), std::set<std::uint32_t>{7});
}

TEST_F(AtTheBorder, AnOriginServesByItsOffersWhereverItStands) {
  stand(3, 4);
  meet(9, true, true);
  for (std::uint32_t p = 0; p < 8; ++p) c.say(9, bt::Have{p});
  EXPECT_EQ(asked(9).size(), 8U);
}

TEST(OriginInAZone, OffersToItsOwnZoneFirstAndToOthersWhenThatLacksNothing) {
  CoreUnderTest o(20, 1, true);
  const auto meet = [&](PeerRef p, bool other_zone) {
    o.swarm->connected(p, {"node-" + std::to_string(p), false, 250, other_zone}, o.now);
    o.keep();
  };
  const auto deliver = [&](PeerRef p) {
    for (const auto& h : o.sent<bt::Have>(p)) {
      o.say(p, bt::RequestBlock{whole(h.piece)});
      while (const auto u = o.swarm->next_block(o.now)) {
        o.swarm->block_sent(u->peer, u->block, o.now);
        o.keep();
      }
      o.say(p, bt::Have{h.piece});
    }
  };
  meet(1, true);
  for (const PeerRef p : {2U, 3U, 4U, 5U}) meet(p, false);
  for (const PeerRef p : {2U, 3U, 4U, 5U, 1U}) {
    o.say(p, bt::HaveNone{});
    o.say(p, bt::Interested{});
  }
  for (int i = 0; i < 30; ++i) {
    for (const PeerRef p : {2U, 3U, 4U, 5U}) deliver(p);
  }
  std::size_t home = 0;
  for (const PeerRef p : {2U, 3U, 4U, 5U}) home += o.sent<bt::Have>(p).size();
  EXPECT_EQ(home, 20U);
  EXPECT_TRUE(o.sent<bt::Have>(1).empty());
  for (int i = 0; i < 100; ++i) {  // nothing comes over the border
    o.after(100ms);
    deliver(1);
  }
  EXPECT_EQ(o.swarm->pieces_of(1), 20U);
}

TEST(OriginInAZone, OffersToAllWhileItsOwnZoneHasFewerThanFour) {
  CoreUnderTest o(20, 1, true);
  for (const PeerRef p : {1U, 2U, 3U, 4U}) {
    o.swarm->connected(p, {"node-" + std::to_string(p), false, 250, p == 1}, o.now);
    o.keep();
  }
  for (const PeerRef p : {2U, 3U, 4U, 1U}) {
    o.say(p, bt::HaveNone{});
    o.say(p, bt::Interested{});
  }
  for (const auto& h : o.sent<bt::Have>(2)) {
    o.say(2, bt::RequestBlock{whole(h.piece)});
    while (const auto u = o.swarm->next_block(o.now)) {
      o.swarm->block_sent(u->peer, u->block, o.now);
      o.keep();
    }
  }
  EXPECT_FALSE(o.sent<bt::Have>(1).empty());
}

}  // namespace
}  // namespace convoy::swarm::core
