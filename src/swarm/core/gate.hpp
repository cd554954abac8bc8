#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/bt/message.hpp"

namespace convoy::swarm::core {

/// Verifies the ticket a peer shows; any error closes the connection with its code.
using TicketCheck = std::function<Status(std::string_view ticket)>;

/// The gate of a connection: the remote handshake, then the remote extension handshake with a
/// good ticket, and nothing else before it is open (docs/protocols/peer-wire.md, 3). Bytes in,
/// a decision out; the time limit is the caller's.
class Gate {
 public:
  Gate(const std::array<std::uint8_t, 20>& info_hash, const bt::PeerId& self, TicketCheck check)
      : info_hash_(info_hash), self_(self), check_(std::move(check)) {}

  /// Looks at the bytes that came so far and takes from the front what belongs to the gate;
  /// what is behind it is left. Call again with the rest and more bytes until open().
  /// Errors: "gate_not_bittorrent", "gate_wrong_torrent", "gate_self", "gate_no_extensions",
  /// "gate_violation" (anything but the extension handshake), "gate_too_large",
  /// "extension_handshake_invalid", "ticket_missing", and those of the check.
  Result<std::size_t> feed(ByteView in);

  bool greeted() const { return state_ != State::handshake; }
  bool open() const { return state_ == State::open; }
  const bt::PeerId& peer_id() const { return peer_id_; }
  const bt::ExtensionHandshake& extension() const { return extension_; }

  /// The extension handshake's largest length prefix: a ticket of 16 KiB and a little more.
  static constexpr std::uint32_t kMaxMessage = 20 * 1024;

 private:
  enum class State : std::uint8_t { handshake, extension, open };
  Result<std::size_t> handshake(ByteView in);
  Result<std::size_t> extension_message(ByteView in);

  std::array<std::uint8_t, 20> info_hash_;
  bt::PeerId self_;
  TicketCheck check_;
  State state_ = State::handshake;
  bt::PeerId peer_id_{};
  bt::ExtensionHandshake extension_;
};

}  // namespace convoy::swarm::core
