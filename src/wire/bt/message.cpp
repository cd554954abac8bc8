#include "wire/bt/message.hpp"

#include <algorithm>
#include <bit>

#include "wire/bt/metadata.hpp"

namespace convoy::bt {
namespace {

constexpr std::string_view kProtocol =
    "\x13"
    "BitTorrent protocol";
constexpr std::size_t kReserved = kProtocol.size();
constexpr std::uint8_t kExtendedBit = 0x10;  // reserved byte 5, BEP 10
constexpr std::uint8_t kFastBit = 0x04;      // reserved byte 7, BEP 6
constexpr std::uint8_t kV2Bit = 0x10;        // reserved byte 7, BEP 52

enum Id : std::uint8_t {
  kChoke = 0,
  kUnchoke = 1,
  kInterested = 2,
  kNotInterested = 3,
  kHave = 4,
  kBitfield = 5,
  kRequest = 6,
  kPiece = 7,
  kCancel = 8,
  kHaveAll = 14,
  kHaveNone = 15,
  kReject = 16,
  kExtended = 20,
  kHashRequest = 21,
  kHashes = 22,
  kHashReject = 23,
};

constexpr std::size_t kSpanSize = 48;

void put32(Bytes& out, std::uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(n >> shift));
}

std::uint32_t get32(ByteView in, std::size_t at) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < 4; ++i) n = n << 8 | in[at + i];
  return n;
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

/// Writes one message; the length is known before the body is.
class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  void operator()(const KeepAlive&) { put32(out_, 0); }
  void operator()(const Choke&) { head(kChoke, 0); }
  void operator()(const Unchoke&) { head(kUnchoke, 0); }
  void operator()(const Interested&) { head(kInterested, 0); }
  void operator()(const NotInterested&) { head(kNotInterested, 0); }
  void operator()(const HaveAll&) { head(kHaveAll, 0); }
  void operator()(const HaveNone&) { head(kHaveNone, 0); }
  void operator()(const Have& m) {
    head(kHave, 4);
    put32(out_, m.piece);
  }
  void operator()(const Bitfield& m) {
    head(kBitfield, m.bits.size());
    append(out_, m.bits);
  }
  void operator()(const RequestBlock& m) { block(kRequest, m.block); }
  void operator()(const CancelBlock& m) { block(kCancel, m.block); }
  void operator()(const RejectBlock& m) { block(kReject, m.block); }
  void operator()(const PieceBlock& m) {
    append(out_, piece_header(m.piece, m.begin, static_cast<std::uint32_t>(m.data.size())));
    append(out_, m.data);
  }
  void operator()(const Extended& m) {
    head(kExtended, 1 + m.payload.size());
    out_.push_back(m.id);
    append(out_, m.payload);
  }
  void operator()(const HashRequest& m) { span(kHashRequest, m.span, 0); }
  void operator()(const HashReject& m) { span(kHashReject, m.span, 0); }
  void operator()(const Hashes& m) {
    span(kHashes, m.span, m.hashes.size() * sizeof(Hash256));
    for (const auto& hash : m.hashes) append(out_, hash);
  }
  void operator()(const Unknown& m) { head(m.id, 0); }

 private:
  void head(std::uint8_t id, std::size_t body) {
    put32(out_, static_cast<std::uint32_t>(body + 1));
    out_.push_back(id);
  }
  void block(std::uint8_t id, const BlockRef& b) {
    head(id, 12);
    put32(out_, b.piece);
    put32(out_, b.begin);
    put32(out_, b.length);
  }
  void span(std::uint8_t id, const HashSpan& s, std::size_t extra) {
    head(id, kSpanSize + extra);
    append(out_, s.pieces_root);
    put32(out_, s.base_layer);
    put32(out_, s.index);
    put32(out_, s.length);
    put32(out_, s.proof_layers);
  }
  Bytes& out_;
};

Error bad(std::string detail) { return invalid("message_invalid", std::move(detail)); }

BlockRef read_block(ByteView body) { return {get32(body, 0), get32(body, 4), get32(body, 8)}; }

HashSpan read_span(ByteView body) {
  HashSpan span;
  std::copy_n(body.begin(), span.pieces_root.size(), span.pieces_root.begin());
  span.base_layer = get32(body, 32);
  span.index = get32(body, 36);
  span.length = get32(body, 40);
  span.proof_layers = get32(body, 44);
  return span;
}

Result<Message> read_hashes(ByteView body) {
  if (body.size() < kSpanSize || (body.size() - kSpanSize) % sizeof(Hash256) != 0) {
    return bad("hashes size");
  }
  Hashes out{read_span(body), {}};
  const std::size_t count = (body.size() - kSpanSize) / sizeof(Hash256);
  if (count > std::uint64_t{out.span.length} + out.span.proof_layers) return bad("hashes count");
  out.hashes.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto raw = body.subspan(kSpanSize + i * sizeof(Hash256), sizeof(Hash256));
    std::copy(raw.begin(), raw.end(), out.hashes[i].begin());
  }
  return Message(std::move(out));
}

/// The size a message's body must have; nothing for one of variable or unknown size.
std::optional<std::size_t> fixed_size(std::uint8_t id) {
  switch (id) {
    case kChoke:
    case kUnchoke:
    case kInterested:
    case kNotInterested:
    case kHaveAll:
    case kHaveNone:
      return 0;
    case kHave:
      return 4;
    case kRequest:
    case kCancel:
    case kReject:
      return 12;
    case kHashRequest:
    case kHashReject:
      return kSpanSize;
    default:
      return std::nullopt;
  }
}

Result<Message> read_body(std::uint8_t id, ByteView body) {
  if (const auto size = fixed_size(id); size && *size != body.size()) return bad("size");
  switch (id) {
    case kChoke:
      return Message(Choke{});
    case kUnchoke:
      return Message(Unchoke{});
    case kInterested:
      return Message(Interested{});
    case kNotInterested:
      return Message(NotInterested{});
    case kHaveAll:
      return Message(HaveAll{});
    case kHaveNone:
      return Message(HaveNone{});
    case kHave:
      return Message(Have{get32(body, 0)});
    case kBitfield:
      return Message(Bitfield{to_bytes(body)});
    case kRequest:
      return Message(RequestBlock{read_block(body)});
    case kCancel:
      return Message(CancelBlock{read_block(body)});
    case kReject:
      return Message(RejectBlock{read_block(body)});
    case kPiece:
      if (body.size() < 8 || body.size() > 8 + kBlockSize) return bad("piece size");
      return Message(PieceBlock{get32(body, 0), get32(body, 4), body.subspan(8)});
    case kExtended:
      if (body.empty()) return bad("extended size");
      return Message(Extended{body[0], body.subspan(1)});
    case kHashRequest:
      return Message(HashRequest{read_span(body)});
    case kHashReject:
      return Message(HashReject{read_span(body)});
    case kHashes:
      return read_hashes(body);
    default:
      return Message(Unknown{id});
  }
}

}  // namespace

std::size_t uncle_count(const HashSpan& span) {
  const auto layers = std::uint64_t{span.proof_layers} + 1;
  const auto in_row = static_cast<std::uint64_t>(std::bit_width(span.length)) - 1;
  return span.length == 0 ? 0 : layers - std::min(in_row, layers);
}

Bytes encode(const Handshake& h) {
  Bytes out;
  out.reserve(kHandshakeSize);
  append(out, as_bytes(kProtocol));
  out.resize(kReserved + 8);
  if (h.extended) out[kReserved + 5] |= kExtendedBit;
  if (h.fast) out[kReserved + 7] |= kFastBit;
  if (h.v2) out[kReserved + 7] |= kV2Bit;
  append(out, h.info_hash);
  append(out, h.peer_id);
  return out;
}

Result<Handshake> decode_handshake(ByteView in) {
  if (in.size() != kHandshakeSize) return invalid("handshake_invalid", "size");
  if (as_text(in.first(kReserved)) != kProtocol) return invalid("handshake_invalid", "protocol");
  Handshake h;
  h.extended = (in[kReserved + 5] & kExtendedBit) != 0;
  h.fast = (in[kReserved + 7] & kFastBit) != 0;
  h.v2 = (in[kReserved + 7] & kV2Bit) != 0;
  std::copy_n(in.begin() + kReserved + 8, h.info_hash.size(), h.info_hash.begin());
  std::copy_n(in.begin() + kReserved + 28, h.peer_id.size(), h.peer_id.begin());
  return h;
}

void encode(const Message& message, Bytes& out) { std::visit(Writer(out), message); }

std::array<std::uint8_t, 13> piece_header(std::uint32_t piece, std::uint32_t begin,
                                          std::uint32_t length) {
  std::array<std::uint8_t, 13> out{};
  const auto put = [&](std::size_t at, std::uint32_t n) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<std::uint8_t>(n >> (24 - 8 * i));
  };
  put(0, length + 9);
  out[4] = kPiece;
  put(5, piece);
  put(9, begin);
  return out;
}

Result<Decoded> decode_message(ByteView in) {
  if (in.size() < 4) return Decoded{};
  const std::uint32_t length = get32(in, 0);
  if (length > kMaxMessage) return bad("length");
  if (length == 0) return Decoded{Message(KeepAlive{}), 4};
  if (in.size() - 4 < length) return Decoded{};
  auto message = read_body(in[4], in.subspan(5, length - 1));
  if (!message) return std::move(message).error();
  return Decoded{*std::move(message), std::size_t{4} + length};
}

}  // namespace convoy::bt
