#include <gtest/gtest.h>
#include <map>

#include "support/swarm_core.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;

/// Two peers that have everything; each is asked for half of what is asked for.
struct TwoSeeds : CoreUnderTest {
  explicit TwoSeeds(std::uint32_t pieces) : CoreUnderTest(pieces, 1, false, false, false) {
    join_with(1, range(pieces));
    join_with(2, range(pieces));
    learn_layer();
    for (PeerRef p = 1; p <= 2; ++p) {
      for (const auto& r : sent<bt::RequestBlock>(p)) asked[p].push_back(r.block.piece);
    }
    clear();
    after(20ms);
  }
  /// The peer answers so many of its requests.
  void answer(PeerRef peer, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      block(peer, asked[peer].front());
      verified(asked[peer].front());
      asked[peer].erase(asked[peer].begin());
    }
  }
  std::map<PeerRef, std::vector<std::uint32_t>> asked;
};

TEST(LateRequests, TheLastBlockIsAskedOfAnotherOnceItIsLate) {
  TwoSeeds c(4);
  c.answer(1, 1);
  c.answer(2, 2);
  c.after(150ms);
  EXPECT_EQ(c.requests(2), 0U);
  c.after(100ms);
  ASSERT_EQ(c.sent<bt::RequestBlock>(2).size(), 1U);
  EXPECT_EQ(c.sent<bt::RequestBlock>(2)[0].block.piece, c.asked[1].front());
  EXPECT_EQ(c.sent<bt::CancelBlock>(1).size(), 1U);
  EXPECT_EQ(c.block(1, c.asked[1].front()), Arrival::stored);  // it was on its way
  EXPECT_EQ(c.sent<bt::CancelBlock>(2).size(), 1U);
  EXPECT_EQ(c.block(2, c.asked[1].front()), Arrival::redundant);
}

TEST(LateRequests, NotWhileThereIsMoreToAskFor) {
  TwoSeeds c(64);
  c.answer(1, 1);
  c.clear();
  c.after(800ms);
  EXPECT_TRUE(c.sent<bt::CancelBlock>(1).empty());
  EXPECT_TRUE(c.sent<bt::CancelBlock>(2).empty());
}

TEST(LateRequests, NotOfSomebodyWhoOwesAsMuch) {
  TwoSeeds c(6);
  c.answer(1, 1);
  c.answer(2, 1);
  c.after(800ms);
  EXPECT_EQ(c.requests(2), 0U);
}

TEST(LateRequests, NotBeforeItIsKnownWhatBlocksTake) {
  TwoSeeds c(1);
  c.after(800ms);
  EXPECT_EQ(c.requests(2), 0U);
}

TEST(LateRequests, NotWhereAllAreSlow) {
  TwoSeeds c(4);
  c.after(600ms);
  c.answer(1, 1);
  c.answer(2, 2);
  c.clear();
  c.after(1100ms);  // 1.72 s after it was asked; blocks take 0.62 s
  EXPECT_EQ(c.requests(2), 0U);
  c.after(300ms);
  EXPECT_EQ(c.requests(2), 1U);
}

}  // namespace
}  // namespace convoy::swarm::core
