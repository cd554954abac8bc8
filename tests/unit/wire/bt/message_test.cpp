#include "wire/bt/message.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::bt {
namespace {

using convoy::test::code_of;

Bytes wire(const Message& message) {
  Bytes out;
  encode(message, out);
  return out;
}
Bytes framed(std::uint8_t id, std::size_t body) {
  Bytes out = {0, 0, 0, 0, id};
  for (std::size_t i = 0; i < 4; ++i)
    out[i] = static_cast<std::uint8_t>((body + 1) >> (24 - 8 * i));
  out.resize(5 + body);
  return out;
}
template <class T>
T decoded(const Bytes& bytes) {
  const auto result = decode_message(bytes);
  EXPECT_TRUE(result && result->message && std::holds_alternative<T>(*result->message));
  EXPECT_EQ(result->consumed, bytes.size());
  return std::get<T>(*result->message);
}

TEST(PeerMessage, HasTheBytesOfItsBep) {
  EXPECT_EQ(to_hex(wire(KeepAlive{})), "00000000");
  EXPECT_EQ(to_hex(wire(Choke{})), "0000000100");
  EXPECT_EQ(to_hex(wire(Unchoke{})), "0000000101");
  EXPECT_EQ(to_hex(wire(Interested{})), "0000000102");
  EXPECT_EQ(to_hex(wire(NotInterested{})), "0000000103");
  EXPECT_EQ(to_hex(wire(Have{258})), "000000050400000102");
  EXPECT_EQ(to_hex(wire(Bitfield{{0xf0}})), "0000000205f0");
  EXPECT_EQ(to_hex(wire(RequestBlock{{1, 2, 3}})), "0000000d06000000010000000200000003");
  EXPECT_EQ(to_hex(wire(CancelBlock{{1, 2, 3}})), "0000000d08000000010000000200000003");
  EXPECT_EQ(to_hex(wire(RejectBlock{{1, 2, 3}})), "0000000d10000000010000000200000003");
  EXPECT_EQ(to_hex(wire(HaveAll{})), "000000010e");
  EXPECT_EQ(to_hex(wire(HaveNone{})), "000000010f");
  EXPECT_EQ(to_hex(wire(PieceBlock{1, 2, as_bytes("ab")})), "0000000b0700000001000000026162");
  EXPECT_EQ(to_hex(wire(Extended{3, as_bytes("de")})), "0000000414036465");
}

TEST(PeerMessage, ComesBackAsItWas) {
  EXPECT_EQ(decoded<Have>(wire(Have{7})).piece, 7u);
  EXPECT_EQ(decoded<Bitfield>(wire(Bitfield{{1, 2}})).bits, (Bytes{1, 2}));
  EXPECT_EQ(decoded<RequestBlock>(wire(RequestBlock{{1, 2, 3}})).block, (BlockRef{1, 2, 3}));
  EXPECT_EQ(decoded<CancelBlock>(wire(CancelBlock{{1, 2, 3}})).block, (BlockRef{1, 2, 3}));
  EXPECT_EQ(decoded<RejectBlock>(wire(RejectBlock{{~0u, 2, 3}})).block, (BlockRef{~0u, 2, 3}));
  const auto frame = wire(PieceBlock{4, 5, as_bytes("data")});
  const auto piece = decoded<PieceBlock>(frame);
  EXPECT_EQ(piece.piece, 4u);
  EXPECT_EQ(as_text(piece.data), "data");
  const auto extended = wire(Extended{9, as_bytes("p")});
  EXPECT_EQ(as_text(decoded<Extended>(extended).payload), "p");
  for (const Message& m :
       {Message(KeepAlive{}), Message(Choke{}), Message(Unchoke{}), Message(Interested{}),
        Message(NotInterested{}), Message(HaveAll{}), Message(HaveNone{})}) {
    const auto bytes = wire(m);
    EXPECT_EQ(decode_message(bytes)->message->index(), m.index());
  }
}

TEST(PeerMessage, HashMessagesCarryTheirSpan) {
  HashSpan span{.base_layer = 1, .index = 2, .length = 4, .proof_layers = 8};
  span.pieces_root[0] = 0xaa;
  EXPECT_EQ(wire(HashRequest{span}).size(), 4u + 1 + 48);
  EXPECT_EQ(decoded<HashRequest>(wire(HashRequest{span})).span, span);
  EXPECT_EQ(decoded<HashReject>(wire(HashReject{span})).span, span);
  Hash256 hash{};
  hash[31] = 7;
  const auto hashes = decoded<Hashes>(wire(Hashes{span, {Hash256{}, hash}}));
  EXPECT_EQ(hashes.span, span);
  EXPECT_EQ(hashes.hashes, (std::vector<Hash256>{Hash256{}, hash}));
}

TEST(PeerMessage, TheProofLeavesOutWhatFollowsFromTheRow) {
  const auto uncles = [](std::uint32_t length, std::uint32_t proof) {
    return uncle_count({.length = length, .proof_layers = proof});
  };
  EXPECT_EQ(uncles(512, 0), 0U);
  EXPECT_EQ(uncles(512, 8), 0U);
  EXPECT_EQ(uncles(512, 9), 1U);
  EXPECT_EQ(uncles(512, 11), 3U);
  EXPECT_EQ(uncles(2, 0), 0U);
  EXPECT_EQ(uncles(2, 11), 11U);
  EXPECT_EQ(uncles(0, ~0U), 0U);
  EXPECT_EQ(uncles(2, ~0U), ~0U);
}

TEST(PeerMessage, MoreHashesThanWereAskedForAreRefused) {
  const HashSpan span{.length = 2, .proof_layers = 1};
  EXPECT_EQ(code_of(decode_message(wire(Hashes{span, std::vector<Hash256>(3)}))), "");
  EXPECT_EQ(code_of(decode_message(wire(Hashes{span, std::vector<Hash256>(4)}))),
            "message_invalid");
  const HashSpan huge{.length = ~0u, .proof_layers = ~0u};
  EXPECT_EQ(code_of(decode_message(wire(Hashes{huge, std::vector<Hash256>(4)}))), "");
}

TEST(PeerMessage, WaitsForTheRestWhereverItIsCut) {
  const auto whole = wire(RequestBlock{{1, 2, 3}});
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto part = decode_message(ByteView(whole).first(n));
    ASSERT_TRUE(part);
    EXPECT_FALSE(part->message);
    EXPECT_EQ(part->consumed, 0u);
  }
  auto two = whole;
  encode(Choke{}, two);
  EXPECT_EQ(decode_message(two)->consumed, whole.size());
}

TEST(PeerMessage, AWrongSizeEndsTheConnection) {
  const std::pair<std::uint8_t, std::size_t> sizes[] = {{0, 0},  {1, 0},   {2, 0},   {3, 0},
                                                        {4, 4},  {6, 12},  {8, 12},  {14, 0},
                                                        {15, 0}, {16, 12}, {21, 48}, {23, 48}};
  for (const auto& [id, size] : sizes) {
    EXPECT_EQ(code_of(decode_message(framed(id, size))), "") << int{id};
    EXPECT_EQ(code_of(decode_message(framed(id, size + 1))), "message_invalid") << int{id};
    if (size > 0) {
      EXPECT_EQ(code_of(decode_message(framed(id, size - 1))), "message_invalid") << int{id};
    }
  }
  EXPECT_EQ(code_of(decode_message(framed(7, 7))), "message_invalid");
  EXPECT_EQ(code_of(decode_message(framed(20, 0))), "message_invalid");
  EXPECT_EQ(code_of(decode_message(framed(22, 47))), "message_invalid");
  EXPECT_EQ(code_of(decode_message(framed(22, 48 + 31))), "message_invalid");
}

TEST(PeerMessage, ABlockIsAtMostSixteenKibibytes) {
  EXPECT_EQ(code_of(decode_message(framed(7, 8 + kBlockSize))), "");
  EXPECT_EQ(code_of(decode_message(framed(7, 9 + kBlockSize))), "message_invalid");
}

TEST(PeerMessage, TheLengthIsRefusedBeforeTheBodyIsAwaited) {
  EXPECT_EQ(code_of(decode_message(Bytes{0x00, 0x08, 0x00, 0x00})), "");
  EXPECT_EQ(code_of(decode_message(Bytes{0x00, 0x08, 0x00, 0x01})), "message_invalid");
  EXPECT_EQ(code_of(decode_message(Bytes{0xff, 0xff, 0xff, 0xff})), "message_invalid");
  EXPECT_EQ(code_of(decode_message(framed(5, kMaxMessage - 1))), "");
}

TEST(PeerMessage, AnUnknownIdIsPassedOver) {
  for (int id : {9, 13, 17, 255}) {
    const auto frame = framed(static_cast<std::uint8_t>(id), 3);
    EXPECT_EQ(decoded<Unknown>(frame).id, id);
  }
}

TEST(Handshake, HasTheBytesOfItsBeps) {
  Handshake h;
  h.info_hash.fill(0x11);
  h.peer_id.fill(0x22);
  const auto bytes = encode(h);
  ASSERT_EQ(bytes.size(), kHandshakeSize);
  EXPECT_EQ(to_hex(bytes), "13" + to_hex(as_bytes("BitTorrent protocol")) + "0000000000100014" +
                               to_hex(h.info_hash) + to_hex(h.peer_id));
  const auto back = decode_handshake(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->info_hash, h.info_hash);
  EXPECT_EQ(back->peer_id, h.peer_id);
  EXPECT_TRUE(back->fast && back->extended && back->v2);
}

TEST(Handshake, EachBitStandsForItself) {
  auto bytes = encode(Handshake{.fast = false, .extended = false, .v2 = false});
  bytes[20] = 0xff;  // bits of others do not matter
  const auto none = decode_handshake(bytes);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->fast || none->extended || none->v2);
  EXPECT_TRUE(decode_handshake(encode(Handshake{.extended = false, .v2 = false}))->fast);
  EXPECT_TRUE(decode_handshake(encode(Handshake{.fast = false, .extended = false}))->v2);
}

TEST(Handshake, RefusesAnotherProtocolOrSize) {
  auto bytes = encode(Handshake{});
  EXPECT_EQ(code_of(decode_handshake(ByteView(bytes).first(67))), "handshake_invalid");
  bytes.push_back(0);
  EXPECT_EQ(code_of(decode_handshake(bytes)), "handshake_invalid");
  bytes.pop_back();
  bytes[0] = 18;
  EXPECT_EQ(code_of(decode_handshake(bytes)), "handshake_invalid");
  bytes[0] = 19;
  bytes[5] ^= 0x20;
  EXPECT_EQ(code_of(decode_handshake(bytes)), "handshake_invalid");
}

}  // namespace
}  // namespace convoy::bt
