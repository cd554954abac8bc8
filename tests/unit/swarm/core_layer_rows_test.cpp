#include <gtest/gtest.h>

#include "support/swarm_core.hpp"

// A piece layer too large to ask for at once.
namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;

/// As a layer they are 2048 wide: rows of 512, 512 and, for the 176 that are left, 256.
constexpr std::uint32_t kPieces = 1200;

class LayerRows : public testing::Test {
 protected:
  void neighbour(PeerRef peer) { taker.join_with(peer, test::range(kPieces)); }

  std::vector<bt::HashSpan> asked(PeerRef peer) const {
    std::vector<bt::HashSpan> out;
    for (const auto& r : taker.sent<bt::HashRequest>(peer)) out.push_back(r.span);
    return out;
  }
  /// What one who has the layer says to that.
  bt::Hashes answer(const bt::HashSpan& span) {
    giver.clear();
    giver.say(1, bt::HashRequest{span});
    giver.swarm->hashes_sent(1);
    const auto given = giver.sent<bt::Hashes>(1);
    return given.empty() ? bt::Hashes{} : given[0];
  }
  bool knows() const { return taker.requests(4) > 0; }

  CoreUnderTest giver = [] {
    CoreUnderTest c(kPieces, 2, false, true);
    c.join_with(1, {});
    return c;
  }();
  CoreUnderTest taker{kPieces, 2, false, false, false};
};

TEST_F(LayerRows, ComeFromSeveralNeighboursAtOnce) {
  neighbour(1);
  ASSERT_EQ(asked(1).size(), 2U) << "no more of one, at first";
  neighbour(2);
  ASSERT_EQ(asked(2).size(), 1U);
  const std::vector<bt::HashSpan> all{asked(1)[0], asked(1)[1], asked(2)[0]};
  const auto& root = taker.meta.pieces_root;
  EXPECT_EQ(all, (std::vector<bt::HashSpan>{
                     {root, 1, 0, 512, 10}, {root, 1, 512, 512, 10}, {root, 1, 1024, 256, 10}}));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_FALSE(knows());
    taker.say(i < 2 ? 1 : 2, answer(all[i]));
  }
  EXPECT_TRUE(knows());
  EXPECT_EQ(taker.swarm->layer(), giver.layer);
}

TEST_F(LayerRows, OneNeighbourIsEnough) {
  neighbour(1);
  for (std::size_t i = 0; i < asked(1).size(); ++i) taker.say(1, answer(asked(1)[i]));
  EXPECT_EQ(asked(1).size(), 3U);
  EXPECT_TRUE(knows());
}

TEST_F(LayerRows, WhoGivesAWrongRowIsBannedAndTheRestIsKept) {
  neighbour(1);
  neighbour(2);
  taker.say(2, answer(asked(2)[0]));
  auto wrong = answer(asked(1)[0]);
  wrong.hashes[511][0] ^= 1;
  taker.say(1, wrong);
  EXPECT_TRUE(taker.swarm->banned("node-1"));
  for (std::size_t i = 1; i < asked(2).size(); ++i) taker.say(2, answer(asked(2)[i]));
  EXPECT_EQ(asked(2).size(), 3U);
  EXPECT_TRUE(knows());
}

TEST_F(LayerRows, AreWrongWithAnotherProof) {
  const auto banned_for = [this](auto change) {
    CoreUnderTest c(kPieces, 2, false, false, false);
    c.join_with(1, test::range(kPieces));
    bt::Hashes m = answer(c.sent<bt::HashRequest>(1).at(1).span);
    change(m.hashes);
    c.say(1, m);
    return c.swarm->banned("node-1");
  };
  using Hashes = std::vector<Hash256>;
  EXPECT_FALSE(banned_for([](Hashes&) {}));
  EXPECT_TRUE(banned_for([](Hashes& h) { h.back()[31] ^= 1; }));
  EXPECT_TRUE(banned_for([](Hashes& h) { std::swap(h[512], h[513]); }));
  EXPECT_TRUE(banned_for([](Hashes& h) { h.pop_back(); }));
  EXPECT_TRUE(banned_for([](Hashes& h) { h.push_back(h.back()); }));
  EXPECT_TRUE(banned_for([](Hashes& h) { h.clear(); }));
}

TEST_F(LayerRows, ASlowNeighbourIsNotWaitedFor) {
  neighbour(1);
  taker.after(900ms);
  neighbour(2);
  EXPECT_EQ(asked(2).size(), 1U) << "the row that nobody was asked for";
  taker.after(150ms);
  ASSERT_GE(asked(2).size(), 2U);
  EXPECT_EQ(asked(2)[1], asked(1)[0]);
  for (std::size_t i = 0; i < asked(2).size(); ++i) taker.say(2, answer(asked(2)[i]));
  EXPECT_TRUE(knows());
  taker.say(1, answer(asked(1)[0]));
  EXPECT_FALSE(taker.swarm->banned("node-1")) << "late is not wrong";
}

TEST_F(LayerRows, OfTheOriginTheWholeIsAskedAndOfNeighboursWhenItIsSlow) {
  taker.join_with(1, test::range(kPieces), true);
  taker.after(50ms);
  ASSERT_EQ(asked(1), (std::vector<bt::HashSpan>{{taker.meta.pieces_root, 1, 0, 2048, 0}}));
  neighbour(2);
  EXPECT_TRUE(asked(2).empty()) << "it is on its way";
  taker.after(60ms);
  EXPECT_EQ(asked(2).size(), 2U);
  EXPECT_EQ(asked(1).size(), 1U);
  taker.say(1, answer(asked(1)[0]));
  EXPECT_TRUE(taker.requests(2) > 0);
}

TEST_F(LayerRows, WhereNeighboursRefuseTheOriginIsAsked) {
  neighbour(2);
  taker.join_with(1, test::range(kPieces), true);
  std::size_t refused = 0;
  for (int i = 0; i < 10; ++i, taker.after(5ms)) {
    while (refused < asked(2).size()) taker.say(2, bt::HashReject{asked(2)[refused++]});
  }
  ASSERT_EQ(asked(1).size(), 1U);
  EXPECT_EQ(asked(1)[0].length, 2048U);
}

TEST_F(LayerRows, ANeighbourThatLeftIsReplaced) {
  neighbour(1);
  neighbour(2);
  taker.leave(1);
  for (std::size_t i = 0; i < asked(2).size(); ++i) taker.say(2, answer(asked(2)[i]));
  EXPECT_TRUE(knows());
}

TEST_F(LayerRows, OfEveryLengthLeadToTheRoot) {
  for (std::uint32_t length = 2; length <= 2048; length *= 2) {
    for (std::uint32_t index = 0; index < 2048; index += std::max(length, 128U)) {
      const auto m = answer({giver.meta.pieces_root, 1, index, length, 10});
      ASSERT_GE(m.hashes.size(), length);
      const std::span<const Hash256> all(m.hashes);
      EXPECT_EQ(bt::root_above(all.first(length), index, all.subspan(length), test::toy_pair),
                giver.meta.pieces_root)
          << length << " at " << index;
    }
  }
}

TEST_F(LayerRows, AreProvenUpToTheRootAndNoFurther) {
  const auto& root = giver.meta.pieces_root;
  EXPECT_EQ(answer({root, 1, 0, 512, 10}).hashes.size(), 514U);
  EXPECT_EQ(answer({root, 1, 0, 512, 9}).hashes.size(), 513U);
  EXPECT_EQ(answer({root, 1, 0, 2048, 10}).hashes.size(), 2048U);
  EXPECT_EQ(answer({root, 1, 1024, 2, 10}).hashes.size(), 12U);
  EXPECT_TRUE(answer({root, 1, 0, 512, 11}).hashes.empty());
  EXPECT_TRUE(answer({root, 1, 0, 512, ~0U}).hashes.empty());
  EXPECT_TRUE(answer({root, 1, 7, 1, 0}).hashes.empty()) << "BEP 52: two at least";
}

}  // namespace
}  // namespace convoy::swarm::core
