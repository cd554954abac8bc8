#include <gtest/gtest.h>

#include "support/swarm_core.hpp"

namespace convoy::swarm::core {
namespace {

using namespace std::chrono_literals;
using test::CoreUnderTest;

/// 65 pieces of two blocks: as a row of the tree they are 128 wide, nearly half of it padding.
constexpr std::uint32_t kPieces = 65;

bt::HashSpan row(const CoreUnderTest& c, std::uint32_t index, std::uint32_t length) {
  return {c.meta.pieces_root, 1, index, length, 0};
}

/// Padded as BEP 52 has it.
std::vector<Hash256> padded(std::vector<Hash256> hashes, std::size_t length) {
  hashes.resize(length, bt::pad_hash(1, test::toy_pair));
  return hashes;
}

TEST(PieceLayer, IsGivenWithItsPaddingAndTakenSo) {
  CoreUnderTest giver(kPieces, 2, false, true);
  giver.join_with(1, {});
  giver.say(1, bt::HashRequest{row(giver, 0, 128)});
  giver.say(1, bt::HashRequest{row(giver, 64, 64)});
  const auto given = giver.sent<bt::Hashes>(1);
  ASSERT_EQ(given.size(), 2U);
  EXPECT_EQ(given[0].hashes, padded(giver.layer, 128));
  EXPECT_EQ(given[1].hashes, padded({giver.layer[64]}, 64));

  CoreUnderTest taker(kPieces, 2, false, false, false);
  taker.join_with(1, test::range(kPieces));
  ASSERT_EQ(taker.sent<bt::HashRequest>(1).size(), 1U);
  EXPECT_EQ(taker.sent<bt::HashRequest>(1)[0].span, given[0].span);
  taker.say(1, given[0]);
  EXPECT_GT(taker.requests(1), 0U);
}

TEST(PieceLayer, IsWrongWithoutItsEnd) {
  for (const std::size_t given : {0U, kPieces, 127U}) {
    CoreUnderTest c(kPieces, 2, false, false, false);
    c.join_with(1, test::range(kPieces));
    bt::Hashes answer{row(c, 0, 128), padded(c.layer, 128)};
    answer.hashes.resize(given);
    c.say(1, answer);
    EXPECT_TRUE(c.swarm->banned("node-1")) << given;
  }
}

TEST(PieceLayer, WhoRefusesForLongIsAskedLessOften) {
  CoreUnderTest c(kPieces, 2, false, false, false);
  c.join_with(1, test::range(kPieces));
  const auto asked_in = [&](Duration time) {
    std::size_t asked = 0;
    for (const Instant end = c.now + time; c.now < end; c.now += 5ms) {
      const auto requests = c.sent<bt::HashRequest>(1);
      asked += requests.size();
      c.clear();
      for (const auto& r : requests) c.say(1, bt::HashReject{r.span});
      c.swarm->tick(c.now);
      c.keep();
    }
    return asked;
  };
  EXPECT_GE(asked_in(400ms), 8U) << "another was quicker";
  EXPECT_LE(asked_in(50s), 90U) << "it computes";
  EXPECT_GE(asked_in(10s), 8U);
}

TEST(PieceLayer, OnlyRowsOfItAreGiven) {
  CoreUnderTest c(kPieces, 2, false, true);
  c.join_with(1, {});
  bt::HashSpan other_root = row(c, 0, 128), deep = row(c, 0, 128), proven = row(c, 0, 128);
  other_root.pieces_root[0] ^= 1;
  deep.base_layer = 2;
  proven.proof_layers = 7;
  const std::vector<bt::HashSpan> wrong{
      row(c, 128, 128),           row(c, 0, 256), row(c, 0, 0), row(c, 0, 65), row(c, 1, 2),
      row(c, 1U << 31, 1U << 31), row(c, ~0U, 1), other_root,   deep,          proven};
  for (const auto& span : wrong) c.say(1, bt::HashRequest{span});
  EXPECT_TRUE(c.sent<bt::Hashes>(1).empty());
  EXPECT_EQ(c.sent<bt::HashReject>(1).size(), wrong.size());
}

}  // namespace
}  // namespace convoy::swarm::core
