#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

// Peer wire messages: BEP 3, 6 (fast), 10 (extension protocol), 52 (v2 hashes), 54 (donthave).
namespace convoy::bt {

using PeerId = std::array<std::uint8_t, 20>;

/// The 68 bytes that open a connection (BEP 3); Convoy sets the bits of BEP 6, 10 and 52.
struct Handshake {
  std::array<std::uint8_t, 20> info_hash{};  ///< truncated v2 info-hash
  PeerId peer_id{};
  bool fast = true, extended = true, v2 = true;
};
inline constexpr std::size_t kHandshakeSize = 68;
Bytes encode(const Handshake&);
/// Error code "handshake_invalid".
Result<Handshake> decode_handshake(ByteView);

struct BlockRef {
  std::uint32_t piece = 0, begin = 0, length = 0;
  auto operator<=>(const BlockRef&) const = default;
};

struct KeepAlive {};
struct Choke {};
struct Unchoke {};
struct Interested {};
struct NotInterested {};
struct Have {
  std::uint32_t piece = 0;
};
struct Bitfield {
  Bytes bits;
};
struct HaveAll {};
struct HaveNone {};
struct RequestBlock {
  BlockRef block;
};
struct CancelBlock {
  BlockRef block;
};
struct RejectBlock {
  BlockRef block;
};
/// `data` is a view into the decoder's input (or the sender's buffer); valid only during the call.
struct PieceBlock {
  std::uint32_t piece = 0, begin = 0;
  ByteView data;
};
struct Extended {
  std::uint8_t id = 0;
  ByteView payload;
};
/// BEP 52 hash request, and the head of hashes and hash reject.
struct HashSpan {
  Hash256 pieces_root{};
  std::uint32_t base_layer = 0, index = 0, length = 0, proof_layers = 0;
  bool operator==(const HashSpan&) const = default;
};
/// How many hashes of the proof a `hashes` message has behind the `length` of the row: BEP 52
/// leaves out those that follow from the row itself.
std::size_t uncle_count(const HashSpan&);
struct HashRequest {
  HashSpan span;
};
struct Hashes {
  HashSpan span;
  std::vector<Hash256> hashes;
};
struct HashReject {
  HashSpan span;
};
/// A message id this side does not know; to be ignored (BEP 10 asks for it).
struct Unknown {
  std::uint8_t id = 0;
};

using Message = std::variant<KeepAlive, Choke, Unchoke, Interested, NotInterested, Have, Bitfield,
                             HaveAll, HaveNone, RequestBlock, CancelBlock, RejectBlock, PieceBlock,
                             Extended, HashRequest, Hashes, HashReject, Unknown>;

/// The length-prefixed form, appended.
void encode(const Message&, Bytes& out);
/// The 13 bytes that stand before a block's data.
std::array<std::uint8_t, 13> piece_header(std::uint32_t piece, std::uint32_t begin,
                                          std::uint32_t length);

/// Largest accepted length prefix: a 16 KiB block, a 4096-hash answer or a bitfield fit.
inline constexpr std::uint32_t kMaxMessage = 512 * 1024;

/// Decodes the message at the start of `in`. No value: more bytes are needed (the second
/// member of `Decoded` is then 0). Error "message_invalid" ends the connection. A block longer
/// than 16 KiB is invalid; what a request asks for is the engine's to judge.
struct Decoded {
  std::optional<Message> message;
  std::size_t consumed = 0;
};
Result<Decoded> decode_message(ByteView in);

/// The extension handshake (BEP 10): ids of named extensions and Convoy's own keys.
struct ExtensionHandshake {
  std::map<std::string, std::uint8_t> ids;    ///< "m"; an id of 0 (switched off) is left out
  std::string client;                         ///< "v"
  std::optional<std::uint32_t> max_requests;  ///< "reqq"
  std::optional<std::uint16_t> listen_port;   ///< "p": where it takes connections, 1 to 65535
  std::string ticket;                         ///< "cv_ticket": compact JWT, "" when absent
  std::string request_id;  ///< "cv_rid": the pull that caused the connection, "" when absent
  std::optional<std::uint32_t> age_ms;  ///< "cv_age": since this side began with the torrent
};
inline constexpr std::string_view kExtTicket = "cv_ticket";
inline constexpr std::string_view kExtDontHave = "lt_donthave";  // BEP 54
Bytes encode(const ExtensionHandshake&);
/// At most 64 KiB, 64 ids, a ticket of 16 KiB, a request id of 128 printable characters.
/// Error code "extension_handshake_invalid".
Result<ExtensionHandshake> decode_extension_handshake(ByteView);

}  // namespace convoy::bt
