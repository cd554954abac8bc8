#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "security/token/ticket.hpp"
#include "swarm/transport/env.hpp"
#include "swarm/transport/peer_identity.hpp"

namespace convoy::swarm {

// Names of this side's extension messages, as told in the extension handshake.
inline constexpr std::uint8_t kTicketId = 1;
inline constexpr std::uint8_t kDontHaveId = 2;

/// What the gate needs to know of the torrent.
struct GateTorrent {
  bt::InfoHash info_hash{};
  oci::Digest digest;
  std::string ticket;  ///< own, good for the certificate of this connection
  SteadyTime ticket_expires{};
  std::string request_id;
  Duration age{};         ///< since this side began
  bool incoming = false;  ///< then the remote handshake comes first
};

/// A peer whose gate is open.
struct Admitted {
  net::StreamPtr stream;
  PeerIdentity peer;
  security::TicketActions actions;
  bt::Zone zone;
  UnixTime ticket_expires{};
  bt::PeerId peer_id{};
  bt::ExtensionHandshake extension;
  Bytes rest;  ///< bytes that came after the gate's
  bool outgoing = false;
  std::uint32_t identity = 0;  ///< the own identity's number, Env::identity
  SteadyTime shown_until{};    ///< GateTorrent::ticket_expires
};

/// Ends a stream at a time, whatever it is doing. Destroy it before the stream.
class Guard {
 public:
  Guard(net::Executor, net::Stream&, Duration);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  bool fired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

struct TicketFacts {
  security::TicketActions actions;
  UnixTime expires{};
  bt::Zone zone{};
};
/// Step 3 of docs/protocols/peer-wire.md. Errors as of TicketVerifier, and "ticket_missing".
Result<TicketFacts> check_ticket(const Env&, std::string_view ticket, const PeerIdentity&,
                                 const bt::InfoHash&, const oci::Digest&);

/// Exchanges the two handshakes on a TLS stream. Errors as of core::Gate, the identity and the
/// ticket; "gate_timeout" after `limit`, "gate_closed" when the peer went.
net::Task<Result<Admitted>> pass_gate(Env& env, net::StreamPtr stream, GateTorrent torrent,
                                      Duration limit);

}  // namespace convoy::swarm
