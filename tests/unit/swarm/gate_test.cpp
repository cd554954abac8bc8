#include "swarm/core/gate.hpp"

#include <gtest/gtest.h>

namespace convoy::swarm::core {
namespace {

constexpr std::array<std::uint8_t, 20> kHash{1, 2, 3};

Bytes hello(const std::string& ticket) {
  bt::Handshake h;
  h.info_hash = kHash;
  h.peer_id.fill('p');
  Bytes out = bt::encode(h);
  bt::ExtensionHandshake e;
  e.ticket = ticket;
  const Bytes payload = bt::encode(e);
  bt::encode(bt::Extended{0, payload}, out);
  return out;
}

Gate gate(std::string* seen = nullptr, Status answer = {}) {
  return {kHash, bt::PeerId{}, [seen, answer](std::string_view t) {
            if (seen != nullptr) *seen = std::string(t);
            return answer;
          }};
}

TEST(Gate, OpensWhateverTheChunking) {
  const Bytes all = hello("ticket");
  for (std::size_t step = 1; step <= all.size(); step += 7) {
    std::string seen;
    Gate g = gate(&seen);
    std::size_t at = 0;
    for (std::size_t have = 0; have < all.size();) {
      EXPECT_FALSE(g.open());
      have = std::min(all.size(), have + step);
      const auto used = g.feed(ByteView(all).subspan(at, have - at));
      ASSERT_TRUE(used);
      at += *used;
    }
    EXPECT_TRUE(g.open());
    EXPECT_EQ(at, all.size());
    EXPECT_EQ(seen, "ticket");
  }
}

TEST(Gate, LeavesWhatComesBehind) {
  Bytes all = hello("t");
  const std::size_t own = all.size();
  bt::encode(bt::HaveAll{}, all);
  Gate g = gate();
  EXPECT_EQ(g.feed(all).value(), own);
  EXPECT_TRUE(g.open());
}

TEST(Gate, StaysShutWhenTheTicketIsBad) {
  Gate g = gate(nullptr, unauthorized("ticket_expired"));
  const auto r = g.feed(hello("t"));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), "ticket_expired");
  EXPECT_FALSE(g.open());
}

TEST(Gate, RefusesAtTheFirstWrongByte) {
  Gate g = gate();
  const Bytes http{'G'};
  EXPECT_EQ(g.feed(http).error().code(), "gate_not_bittorrent");
}

TEST(Gate, RefusesByTheHeadOfAMessageBeforeItsBodyCame) {
  Bytes head = hello("");
  head.resize(bt::kHandshakeSize);
  for (const std::uint8_t b : Bytes{0, 0, 0, 5, 4}) head.push_back(b);  // have
  Gate g = gate();
  EXPECT_EQ(g.feed(head).error().code(), "gate_violation");
}

TEST(Gate, TakesTheLargestExtensionHandshakeAndNotOneByteMore) {
  for (const std::uint32_t extra : {0U, 1U}) {
    const std::uint32_t length = Gate::kMaxMessage + extra;
    Bytes bytes = hello("");
    bytes.resize(bt::kHandshakeSize);
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<std::uint8_t>(length >> shift));
    }
    bytes.push_back(20);
    bytes.push_back(0);
    Gate g = gate();
    const auto r = g.feed(bytes);
    EXPECT_EQ(r.ok(), extra == 0);
    if (r) continue;
    EXPECT_EQ(r.error().code(), "gate_too_large");
  }
}

}  // namespace
}  // namespace convoy::swarm::core
