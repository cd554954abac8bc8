#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "wire/bt/message.hpp"

// What goes into and comes out of the engine's core. The core decides; it has no sockets, no
// clock, no threads and no bytes of pieces.
namespace convoy::swarm::core {

/// A connection, numbered by the caller from 1 on; never reused within a torrent.
using PeerRef = std::uint32_t;
using Instant = SteadyTime;

struct PeerInfo {
  std::string node;                  ///< SPIFFE id of its certificate: what a ban is bound to
  bool origin = false;               ///< an origin seeder: serves by offers, never downloads
  std::uint32_t max_requests = 250;  ///< "reqq" of its extension handshake
  bool other_zone = false;           ///< it does not stand in this side's zone
  Duration age{};                    ///< since it began with this torrent, as it says itself
};

/// Where a node stands among the nodes of its zone, as the tracker last said: index < count.
struct ZonePlace {
  std::uint32_t index = 0, count = 1;
};

/// Send it in one record with whatever else is ready; it may wait so long for company. After
/// `Hashes` has left, the caller tells Swarm::hashes_sent.
struct SendMessage {
  PeerRef peer = 0;
  bt::Message message;
  Duration wait{};
};
/// All blocks of the piece are in its buffer: hash and store, then say verified() or failed().
struct VerifyPiece {
  std::uint32_t piece = 0;
};
/// The piece's buffer is of no use any more.
struct ReleasePiece {
  std::uint32_t piece = 0;
};
/// The core has forgotten the peer already. `banned`: do not let this identity in again.
struct DropPeer {
  PeerRef peer = 0;
  std::string node;
  std::string code;
  bool banned = false;
  std::string detail{};  ///< for the log
};
/// This identity sent bytes that do not verify.
struct ReportPeer {
  std::string node;
  std::uint32_t piece = 0;
};
/// A seed without a stored piece layer is asked for it: compute it, then say layer_computed().
struct ComputeLayer {};
/// A peer wants the leaves of one piece: read and hash it, then say leaves_read().
struct ReadLeaves {
  PeerRef peer = 0;
  bt::HashSpan span;
  std::uint32_t piece = 0;
};
/// Every piece is verified and stored.
struct Completed {};

using Action = std::variant<SendMessage, VerifyPiece, ReleasePiece, DropPeer, ReportPeer,
                            ComputeLayer, ReadLeaves, Completed>;

/// A block that may leave now.
struct Upload {
  PeerRef peer = 0;
  bt::BlockRef block;
};

}  // namespace convoy::swarm::core
