#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "support/swarm_core.hpp"
#include "swarm/core/picker.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;
using test::range;
using test::whole;

TEST(Requests, EightBlocksInAllAndOneOfEachPeer) {
  CoreUnderTest c(64, 1, false, false, false);
  for (PeerRef p = 1; p <= 12; ++p) c.join_with(p, range(64));
  c.learn_layer();
  EXPECT_EQ(c.requests(12), 8U);
  for (PeerRef p = 1; p <= 12; ++p) EXPECT_LE(c.sent<bt::RequestBlock>(p).size(), 1U);
}

TEST(Requests, ASinglePeerGetsThemAll) {
  CoreUnderTest c(64);
  c.join_with(1, range(64));
  EXPECT_EQ(c.requests(1), 8U);
}

TEST(Requests, WithNobodyToTradeWithPiecesComeInOrder) {
  const auto first_asked = [](bool with_another) {
    CoreUnderTest c(64, 1, false, false, false);
    c.join_with(1, range(64));
    if (with_another) c.join_with(2, {5});
    c.learn_layer();
    std::vector<std::uint32_t> pieces;
    for (const auto& r : c.sent<bt::RequestBlock>(1)) pieces.push_back(r.block.piece);
    return pieces;
  };
  EXPECT_EQ(first_asked(false), range(8));
  const auto mixed = first_asked(true);
  EXPECT_FALSE(std::is_sorted(mixed.begin(), mixed.end()));
}

TEST(Requests, WhereBytesComeFastARowIsAskedOfOnePeer) {
  CoreUnderTest c(4096, 8, false, false, false);
  c.join_with(1, range(4096));
  c.join_with(2, range(4096));
  c.learn_layer();
  const auto longest_row = [&] {
    std::size_t best = 0, row = 0;
    bt::BlockRef last{};
    for (const auto& r : c.sent<bt::RequestBlock>(1)) {
      const bool next =
          row > 0 && r.block.piece == last.piece && r.block.begin == last.begin + last.length;
      row = next ? row + 1 : 1;
      best = std::max(best, row);
      last = r.block;
    }
    return best;
  };
  EXPECT_EQ(longest_row(), 1U);
  // 100 MB/s, from whoever was asked.
  for (int turn = 0; turn < 200; ++turn) {
    const auto asked = std::exchange(c.actions, {});
    std::size_t answered = 0;
    for (const auto& a : asked) {
      if (const auto* full = std::get_if<VerifyPiece>(&a)) c.verified(full->piece);
      const auto* s = std::get_if<SendMessage>(&a);
      const auto* r = s == nullptr ? nullptr : std::get_if<bt::RequestBlock>(&s->message);
      if (r == nullptr) continue;
      c.block(s->peer, r->block.piece, r->block.begin / bt::kBlockSize);
      ++answered;
    }
    ASSERT_GT(answered, 0U);
    c.after(std::chrono::microseconds(answered * 164));
  }
  EXPECT_GE(longest_row(), 4U);
}

TEST(Requests, LongPathsAreFilledAndLongQueuesAreNot) {
  // The most that one of four peers owes, when a block comes every 8 ms, and takes so long at first
  // and later.
  const auto most_owed = [](Duration at_first, Duration later) {
    CoreUnderTest c(1024, 1, false, false, false);
    for (PeerRef p = 1; p <= 4; ++p) c.join_with(p, range(1024));
    c.learn_layer();
    std::deque<std::tuple<Instant, PeerRef, std::uint32_t>> due;
    std::map<PeerRef, std::size_t> owed;
    std::size_t most = 0;
    for (int turn = 0; turn < 500; ++turn) {
      for (PeerRef p = 1; p <= 4; ++p) {
        for (const auto& r : c.sent<bt::RequestBlock>(p)) {
          due.emplace_back(c.now + (turn < 50 ? at_first : later), p, r.block.piece);
          if (++owed[p] > most && turn > 250) most = owed[p];
        }
      }
      c.clear();
      c.after(8ms);
      if (due.empty() || std::get<0>(due.front()) > c.now) continue;
      const auto [when, peer, piece] = due.front();
      due.pop_front();
      --owed[peer];
      c.block(peer, piece);
      c.verified(piece);
    }
    return most;
  };
  EXPECT_LE(most_owed(8ms, 8ms), 6U);
  EXPECT_LE(most_owed(8ms, 400ms), 8U);
  EXPECT_LE(most_owed(8ms, 4s), 8U);
  EXPECT_GE(4 * most_owed(400ms, 400ms), 50U);  // so many come in 400 ms
}

TEST(Requests, NothingBeforeThePieceLayerIsVerified) {
  CoreUnderTest c(64, 1, false, false, false);
  c.join_with(1, range(64));
  EXPECT_EQ(c.requests(1), 0U);
  EXPECT_TRUE(c.sent<bt::Interested>(1).empty());
  const auto asked = c.sent<bt::HashRequest>(1);
  ASSERT_EQ(asked.size(), 1U);
  bt::Hashes answer{asked[0].span, c.layer};
  c.say(1, answer);
  EXPECT_EQ(c.requests(1), 8U);
  EXPECT_EQ(c.sent<bt::Interested>(1).size(), 1U);
}

TEST(Requests, AWrongPieceLayerBansItsSender) {
  CoreUnderTest c(64, 1, false, false, false);
  c.join_with(1, range(64));
  bt::Hashes answer{c.sent<bt::HashRequest>(1)[0].span, c.layer};
  answer.hashes[63][5] ^= 1;
  c.say(1, answer);
  const auto drops = c.did<DropPeer>();
  ASSERT_EQ(drops.size(), 1U);
  EXPECT_EQ(drops[0].code, "bad_hashes");
  EXPECT_TRUE(c.swarm->banned("node-1"));
  EXPECT_EQ(c.requests(1), 0U);
}

TEST(Requests, AnotherPeerIsAskedForTheLayerWhenOneRefusesOrIsSilent) {
  CoreUnderTest c(64, 1, false, false, false);
  c.join_with(1, range(64));
  c.join_with(2, range(64));
  const PeerRef first = c.sent<bt::HashRequest>(1).empty() ? 2 : 1;
  c.say(first, bt::HashReject{c.sent<bt::HashRequest>(first)[0].span});
  EXPECT_EQ(c.sent<bt::HashRequest>(3 - first).size(), 1U);
  c.clear();
  c.after(3100ms);
  EXPECT_GE(c.sent<bt::HashRequest>(first).size(), 1U);
}

TEST(Requests, ThePiecesInFrontOfAReaderComeFirst) {
  CoreUnderTest c(64);
  c.swarm->set_reader(1, 20 * bt::kBlockSize, c.now);
  c.join_with(1, range(64));
  const auto r = c.sent<bt::RequestBlock>(1);
  ASSERT_GE(r.size(), 4U);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(r[i].block.piece, 20 + i);
}

TEST(Requests, BeyondTheHeadOfAReaderHalfOfThePiecesComeInOrder) {
  const auto asked = [](bool reading) {
    CoreUnderTest c(100, 1, false, false, false);
    if (reading) c.swarm->set_reader(1, 0, c.now);
    // Nobody has the head, and what comes last is rare.
    std::vector<std::uint32_t> all(84), half(44);
    std::iota(all.begin(), all.end(), 16U);
    std::iota(half.begin(), half.end(), 16U);
    c.join_with(1, all);
    c.join_with(2, half);
    c.learn_layer();
    std::vector<std::uint32_t> pieces;
    for (const PeerRef p : {1U, 2U}) {
      for (const auto& r : c.sent<bt::RequestBlock>(p)) pieces.push_back(r.block.piece);
    }
    std::sort(pieces.begin(), pieces.end());
    return pieces;
  };
  const std::vector<std::uint32_t> next{16, 17, 18, 19};
  const auto pieces = asked(true);
  ASSERT_EQ(pieces.size(), 8U);
  EXPECT_TRUE(std::equal(next.begin(), next.end(), pieces.begin()));
  EXPECT_GE(pieces[4], 60U);
  const auto rarest = asked(false);
  EXPECT_FALSE(std::equal(next.begin(), next.end(), rarest.begin()));
}

TEST(Requests, WhatLiesBeforeAReaderIsNotNextInOrder) {
  CoreUnderTest c(100, 1, false, false, false);
  c.swarm->set_reader(1, 50 * bt::kBlockSize, c.now);
  std::vector<std::uint32_t> all_but_the_head = range(50);
  for (std::uint32_t i = 66; i < 100; ++i) all_but_the_head.push_back(i);
  c.join_with(1, all_but_the_head);
  c.learn_layer();
  std::set<std::uint32_t> asked;
  for (const auto& r : c.sent<bt::RequestBlock>(1)) asked.insert(r.block.piece);
  for (std::uint32_t i = 66; i < 71; ++i) EXPECT_TRUE(asked.contains(i)) << i;
}

TEST(Requests, TheFasterBytesComeTheMoreOfThemAreAskedForInOrder) {
  // How many pieces are asked for in order, when none is verified any more, before a rare one.
  const auto in_order = [](Duration each_block) {
    constexpr std::size_t kVerified = 100;
    CoreUnderTest c(512);
    c.swarm->set_reader(1, 0, c.now);
    c.join_with(1, range(512));
    c.join_with(2, range(256));
    std::vector<std::pair<PeerRef, std::uint32_t>> asked;
    std::size_t ahead = 0;
    for (std::size_t i = 0; i <= asked.size(); ++i) {
      for (PeerRef p = 1; p <= 2; ++p) {
        for (const auto& r : c.sent<bt::RequestBlock>(p)) {
          const bool rare = r.block.piece >= 256;
          if (rare && i > kVerified) return ahead;
          if (!rare) ++ahead;
          asked.emplace_back(p, r.block.piece);
        }
      }
      c.clear();
      c.after(each_block);
      const auto [peer, piece] = asked.at(i);
      c.block(peer, piece);
      if (i >= kVerified) continue;
      c.verified(piece);
      if (piece < 256) --ahead;
    }
    return ahead;
  };
  // One more is the next in order, as every second one is beyond the head.
  EXPECT_EQ(in_order(10ms), kUrgentBytes / bt::kBlockSize + 1);
  const auto fast = in_order(1ms);
  EXPECT_GT(fast, 2 * kUrgentBytes / bt::kBlockSize);
  EXPECT_LE(fast, kMostUrgentBytes / bt::kBlockSize + 1);
}

TEST(Requests, TheRarestPieceComesFirst) {
  CoreUnderTest c(16);
  for (PeerRef p = 1; p <= 3; ++p) {
    c.join(p);
    c.say(p, bt::HaveNone{});
    c.say(p, bt::Interested{});
  }
  for (std::uint32_t i = 0; i < 16; ++i) {
    for (PeerRef p = 1; p <= 3; ++p) {
      if (i != 11 || p == 2) c.say(p, bt::Have{i});
    }
  }
  c.say(2, bt::Unchoke{});
  ASSERT_FALSE(c.sent<bt::RequestBlock>(2).empty());
  EXPECT_EQ(c.sent<bt::RequestBlock>(2)[0].block.piece, 11U);
}

TEST(Requests, AStalledPeersBlocksAreAskedOfAnotherWithinASecond) {
  CoreUnderTest c(4);
  c.join_with(1, range(4));
  ASSERT_EQ(c.requests(1), 4U);
  c.join_with(2, range(4));
  c.after(900ms);
  EXPECT_TRUE(c.sent<bt::RequestBlock>(2).empty());
  c.after(200ms);
  EXPECT_EQ(c.sent<bt::RequestBlock>(2).size(), 4U);
  EXPECT_EQ(c.sent<bt::CancelBlock>(1).size(), 4U);
  EXPECT_EQ(c.block(1, 0), Arrival::stored);  // late, but first
  EXPECT_EQ(c.block(2, 0), Arrival::redundant);
}

TEST(Requests, ADroppedConnectionFreesItsRequestsAtOnce) {
  CoreUnderTest c(4);
  c.join_with(1, range(4));
  c.join_with(2, range(4));
  c.clear();
  c.leave(1);
  EXPECT_EQ(c.sent<bt::RequestBlock>(2).size(), 4U);
}

TEST(Requests, ARejectIsNotAskedAgainOfTheSamePeer) {
  CoreUnderTest c(2);
  c.join_with(1, range(2));
  c.clear();
  c.say(1, bt::RejectBlock{whole(0)});
  c.after(3s);
  for (const auto& r : c.sent<bt::RequestBlock>(1)) EXPECT_NE(r.block.piece, 0U);
}

TEST(Requests, OfferedPiecesOfTheOriginDoNotCount) {
  CoreUnderTest c(64, 4);
  for (PeerRef p = 1; p <= 10; ++p) c.join_with(p, range(64));
  c.clear();
  c.join(11, true);
  c.say(11, bt::HaveNone{});
  c.say(11, bt::Unchoke{});
  c.say(11, bt::Have{63});
  EXPECT_EQ(c.sent<bt::RequestBlock>(11).size(), 4U);
}

}  // namespace
}  // namespace convoy::swarm::core
