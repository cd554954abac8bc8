#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/random.hpp"
#include "support/swarm_core.hpp"

// Wrong bytes: who is found guilty, and who must not be.
namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;

std::string name_of(PeerRef p) { return "node-" + std::to_string(p); }

/// What the blocks of a piece hash to when some of them are wrong.
std::vector<Hash256> with_wrong(std::vector<Hash256> leaves,
                                const std::vector<std::uint32_t>& blocks) {
  for (const auto b : blocks) leaves[b][9] ^= 1;
  return leaves;
}

TEST(Blame, TheOnlySenderOfAWrongPieceIsBannedAtOnceAndReportedOnce) {
  CoreUnderTest c(2, 2);
  c.join_with(1, range(2));
  c.block(1, 0, 0);
  c.block(1, 0, 1);
  ASSERT_EQ(c.did<VerifyPiece>().size(), 1U);
  c.failed(0, with_wrong(c.leaves(0), {1}));
  ASSERT_EQ(c.did<ReportPeer>().size(), 1U);
  EXPECT_EQ(c.did<ReportPeer>()[0].node, "node-1");
  EXPECT_EQ(c.did<ReportPeer>()[0].piece, 0U);
  EXPECT_TRUE(c.swarm->banned("node-1"));
  EXPECT_EQ(c.swarm->peer_count(), 0U);
  c.clear();
  c.join(5, false, "node-1");
  ASSERT_EQ(c.did<DropPeer>().size(), 1U);
  EXPECT_EQ(c.did<DropPeer>()[0].code, "peer_banned");
  EXPECT_TRUE(c.did<ReportPeer>().empty());
}

/// Nodes 1 and 2 have sent one block each of a piece of two, and it does not verify.
class TwoSenders : public testing::TestWithParam<PeerRef> {
 protected:
  TwoSenders() : c(2, 2, false, false, false) {}

  void fetch_wrong_piece() {
    for (PeerRef p = 1; p <= 2; ++p) c.join_with(p, {0});
    c.learn_layer();
    for (PeerRef p = 1; p <= 2; ++p) {
      const auto asked = c.sent<bt::RequestBlock>(p);
      ASSERT_EQ(asked.size(), 1U) << "of each node one block";
      const std::uint32_t index = asked[0].block.begin / bt::kBlockSize;
      if (p == liar()) wrong = with_wrong(c.leaves(0), {index});
      ASSERT_EQ(c.block(p, 0, index), Arrival::stored);
    }
    c.clear();
    c.failed(0, wrong);
  }
  PeerRef liar() const { return GetParam(); }
  PeerRef honest() const { return 3 - liar(); }
  /// The one node asked for the whole piece.
  PeerRef source() const {
    const auto one = c.sent<bt::RequestBlock>(1).size(), two = c.sent<bt::RequestBlock>(2).size();
    EXPECT_EQ(one + two, 2U);
    EXPECT_TRUE(one == 0 || two == 0) << "a second source would blur who is guilty";
    return one > 0 ? 1 : 2;
  }
  void both_blocks_from(PeerRef p) {
    for (std::uint32_t b = 0; b < 2; ++b) ASSERT_EQ(c.block(p, 0, b), Arrival::stored);
  }
  /// The node that is asked for the hashes of the blocks.
  PeerRef witness() const { return c.sent<bt::HashRequest>(1).empty() ? 2 : 1; }
  void answer_leaves(PeerRef p, const std::vector<Hash256>& leaves) {
    const auto asked = c.sent<bt::HashRequest>(p);
    ASSERT_EQ(asked.size(), 1U);
    c.say(p, bt::Hashes{asked[0].span, leaves});
  }
  void expect_only_the_liar_was_found() {
    ASSERT_EQ(c.did<ReportPeer>().size(), 1U);
    EXPECT_EQ(c.did<ReportPeer>()[0].node, name_of(liar()));
    EXPECT_TRUE(c.swarm->banned(name_of(liar())));
    EXPECT_FALSE(c.swarm->banned(name_of(honest())));
    EXPECT_EQ(c.swarm->peer_count(), 1U);
  }

  CoreUnderTest c;
  std::vector<Hash256> wrong;
};
INSTANTIATE_TEST_SUITE_P(Blame, TwoSenders, testing::Values(1U, 2U));

TEST_P(TwoSenders, NobodyIsBlamedAsLongAsNothingIsProved) {
  fetch_wrong_piece();
  EXPECT_TRUE(c.did<ReportPeer>().empty());
  EXPECT_TRUE(c.did<DropPeer>().empty());
  EXPECT_EQ(c.swarm->peer_count(), 2U);
}

TEST_P(TwoSenders, TheLiarIsFoundOnceThePieceIsFetchedAgain) {
  fetch_wrong_piece();
  if (source() == liar()) {  // it lies again, alone this time
    both_blocks_from(liar());
    c.failed(0, wrong);
    expect_only_the_liar_was_found();
  }
  both_blocks_from(honest());
  c.verified(0);
  expect_only_the_liar_was_found();
  EXPECT_TRUE(c.swarm->has(0));
}

TEST_P(TwoSenders, TheLiarIsFoundThoughItHasLeft) {
  fetch_wrong_piece();
  c.leave(liar());
  both_blocks_from(honest());
  c.verified(0);
  expect_only_the_liar_was_found();
}

TEST_P(TwoSenders, ALiarThatSendsTheRightBytesNextTimeIsFoundAllTheSame) {
  fetch_wrong_piece();
  both_blocks_from(source());
  c.verified(0);
  expect_only_the_liar_was_found();
}

TEST_P(TwoSenders, TheHashesOfTheBlocksFindTheLiarSooner) {
  fetch_wrong_piece();
  answer_leaves(witness(), c.leaves(0));
  expect_only_the_liar_was_found();
  EXPECT_FALSE(c.swarm->has(0)) << "it was not waited for";
}

TEST_P(TwoSenders, WrongHashesOfBlocksBanTheirSenderAndShiftNoBlame) {
  fetch_wrong_piece();
  if (witness() != liar()) {
    c.say(honest(), bt::HashReject{c.sent<bt::HashRequest>(honest())[0].span});
  }
  // As if the other one's block were the wrong one.
  auto shifted = c.leaves(0);
  for (std::size_t i = 0; i < 2; ++i) shifted[i] = wrong[i] == shifted[i] ? Hash256{9} : wrong[i];
  answer_leaves(liar(), shifted);
  ASSERT_EQ(c.did<DropPeer>().size(), 1U);
  EXPECT_EQ(c.did<DropPeer>()[0].node, name_of(liar()));
  EXPECT_EQ(c.did<DropPeer>()[0].code, "bad_hashes");
  both_blocks_from(honest());
  c.verified(0);
  expect_only_the_liar_was_found();  // banned before, and yet reported for its block
}

TEST_P(TwoSenders, TheSecondFetchMovesOnWhenItsOnlySourceRefuses) {
  fetch_wrong_piece();
  const PeerRef first = source(), other = 3 - first;
  ASSERT_EQ(c.block(first, 0, 0), Arrival::stored);
  c.clear();
  c.say(first, bt::RejectBlock{{0, bt::kBlockSize, bt::kBlockSize}});
  EXPECT_EQ(c.did<ReleasePiece>().size(), 1U);
  EXPECT_EQ(c.sent<bt::RequestBlock>(other).size(), 2U) << "all of it, also what was there";
}

TEST_P(TwoSenders, TheSecondFetchMovesOnWhenItsOnlySourceHasThePieceNoMore) {
  fetch_wrong_piece();
  const PeerRef first = source();
  c.clear();
  c.swarm->dont_have(first, 0, c.now);
  c.after(50ms);
  EXPECT_EQ(c.sent<bt::CancelBlock>(first).size(), 2U);
  EXPECT_EQ(c.sent<bt::RequestBlock>(3 - first).size(), 2U);
}

TEST_P(TwoSenders, TheSecondFetchMovesOnWhenItsOnlySourceIsSilent) {
  fetch_wrong_piece();
  const PeerRef first = source();
  c.clear();
  c.after(1500ms);
  EXPECT_EQ(c.sent<bt::RequestBlock>(3 - first).size(), 2U);
}

/// Nodes that answer whatever they are asked for, in an order that the seed gives, with right
/// blocks or wrong ones.
class Crowd {
 public:
  static constexpr std::uint32_t kNodes = 4, kPieces = 8, kBlocks = 4;
  enum class LiarsHashes : std::uint8_t { silence, refusal, lies };

  Crowd(std::set<PeerRef> liars, LiarsHashes hashes, std::uint64_t seed)
      : c(kPieces, kBlocks, false, false, false),
        liars_(std::move(liars)),
        hashes_(hashes),
        random_(seed) {
    for (PeerRef p = 1; p <= kNodes; ++p) c.join_with(p, range(kPieces));
    c.clear();
    c.learn_layer();
  }

  void run() {
    for (int i = 0; i < 5000 && !c.swarm->complete(); ++i) {
      for (auto& a : std::exchange(c.actions, {})) take(a);
      if (todo_.empty()) {
        c.after(100ms);
        continue;
      }
      const std::size_t at = random_.next() % todo_.size();
      const auto work = std::move(todo_[at]);
      todo_.erase(todo_.begin() + static_cast<std::ptrdiff_t>(at));
      work();
    }
    for (auto& a : std::exchange(c.actions, {})) take(a);
  }

  CoreUnderTest c;
  std::set<std::string> lied;  ///< who had a part in pieces that did not verify
  std::vector<std::string> reported;

 private:
  bool lies(PeerRef p) const { return liars_.contains(p); }

  void take(Action& a) {
    if (auto* sent = std::get_if<SendMessage>(&a)) {
      if (const auto* r = std::get_if<bt::RequestBlock>(&sent->message)) {
        todo_.push_back([this, p = sent->peer, b = r->block] { give_block(p, b); });
      } else if (const auto* h = std::get_if<bt::HashRequest>(&sent->message)) {
        todo_.push_back([this, p = sent->peer, s = h->span] { give_leaves(p, s); });
      }
    } else if (const auto* v = std::get_if<VerifyPiece>(&a)) {
      todo_.push_back([this, piece = v->piece] { verify(piece); });
    } else if (const auto* r = std::get_if<ReleasePiece>(&a)) {
      wrong_[r->piece].clear();
    } else if (const auto* report = std::get_if<ReportPeer>(&a)) {
      reported.push_back(report->node);
    }
  }
  void give_block(PeerRef p, const bt::BlockRef& b) {
    const bool wrong = lies(p) && random_.next() % 2 == 0;
    const std::uint32_t index = b.begin / bt::kBlockSize;
    if (c.block(p, b.piece, index) != Arrival::stored || !wrong) return;
    wrong_[b.piece][index] = p;
  }
  void verify(std::uint32_t piece) {
    const auto wrong = std::exchange(wrong_[piece], {});
    if (wrong.empty()) return c.verified(piece);
    std::vector<std::uint32_t> blocks;
    for (const auto& [index, p] : wrong) {
      blocks.push_back(index);
      lied.insert(name_of(p));
    }
    c.failed(piece, with_wrong(c.leaves(piece), blocks));
  }
  void give_leaves(PeerRef p, const bt::HashSpan& span) {
    const auto right = c.leaves(span.index / kBlocks);
    if (!lies(p)) return c.say(p, bt::Hashes{span, right});
    if (hashes_ == LiarsHashes::refusal) c.say(p, bt::HashReject{span});
    if (hashes_ == LiarsHashes::lies) c.say(p, bt::Hashes{span, with_wrong(right, {0})});
  }

  std::set<PeerRef> liars_;
  LiarsHashes hashes_;
  SeededRandom random_;
  std::deque<std::function<void()>> todo_;
  /// Of pieces under way the blocks that are wrong, and whose they are.
  std::map<std::uint32_t, std::map<std::uint32_t, PeerRef>> wrong_;
};

TEST(Blame, EveryLiarIsFoundAndNoInnocentAndTheDownloadEnds) {
  std::size_t found = 0;
  for (std::uint32_t mask = 0; mask + 1 < 1U << Crowd::kNodes; ++mask) {
    std::set<PeerRef> liars;
    for (PeerRef p = 1; p <= Crowd::kNodes; ++p) {
      if ((mask >> (p - 1) & 1U) != 0) liars.insert(p);
    }
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto hashes = static_cast<Crowd::LiarsHashes>(seed % 3);
      SCOPED_TRACE("liars " + std::to_string(mask) + " seed " + std::to_string(seed));
      Crowd crowd(liars, hashes, seed);
      crowd.run();
      EXPECT_TRUE(crowd.c.swarm->complete());
      const std::set<std::string> reported(crowd.reported.begin(), crowd.reported.end());
      EXPECT_EQ(reported, crowd.lied);
      EXPECT_EQ(reported.size(), crowd.reported.size()) << "each once";
      for (PeerRef p = 1; p <= Crowd::kNodes; ++p) {
        if (liars.contains(p)) continue;
        EXPECT_FALSE(crowd.c.swarm->banned(name_of(p)));
      }
      found += reported.size();
    }
  }
  EXPECT_GE(found, 200U) << "liars got to lie";
}

}  // namespace
}  // namespace convoy::swarm::core
