#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "swarm/core/traffic.hpp"
#include "swarm/core/types.hpp"
#include "wire/bt/merkle.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::swarm::core {

struct SwarmConfig {
  bt::BlobMeta meta;
  std::vector<bool> have{};         ///< pieces present and verified; empty: none
  bool origin = false;              ///< this side is an origin seeder: complete, serves by offers
  bt::HashPair pair = nullptr;      ///< SHA-256(left || right)
  std::vector<Hash256> layer{};     ///< the piece layer, if it is known and verified
  std::uint64_t seed = 0;           ///< for ties; the same seed and events give the same actions
  std::uint64_t expected_rate = 0;  ///< bytes/s of the link, 0: measured
  std::uint64_t max_active_bytes = 32ULL << 20;  ///< pieces under way; never less than four
  std::shared_ptr<Traffic> traffic{};            ///< shared with other torrents; null: no limits
};

/// What becomes of a block that came in.
enum class Arrival : std::uint8_t {
  stored,       ///< wanted: put its bytes into the piece's buffer before taking the actions
  redundant,    ///< was wanted once, came twice or too late
  unsolicited,  ///< never asked for
};

struct SwarmCounts {
  std::uint64_t from_origin = 0, from_peers = 0;  ///< bytes of blocks stored
  std::uint64_t over_border = 0;                  ///< of both, what came from another zone
  std::uint64_t redundant = 0, uploaded = 0;
};

/// One torrent at one node: all decisions, no I/O (sans-I/O). Events go in, actions come out.
/// The policy is that of docs/protocols/peer-wire.md and the measured one of a friendly swarm:
/// nobody is choked, an origin offers, a node asks for the rarest. One thread.
class Swarm {
 public:
  explicit Swarm(SwarmConfig);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  // Peers. A connection comes in when its gate is open.
  void connected(PeerRef, PeerInfo, Instant now);
  void closed(PeerRef, Instant now);
  /// Everything but blocks and extension messages, which have functions of their own.
  void received(PeerRef, const bt::Message&, Instant now);
  Arrival block(PeerRef, std::uint32_t piece, std::uint32_t begin, std::uint32_t length,
                Instant now);
  /// BEP 54.
  void dont_have(PeerRef, std::uint32_t piece, Instant now);
  /// A new ticket, before it is checked: more of them than anybody renews end the connection.
  void ticket_shown(PeerRef, Instant now);
  bool banned(std::string_view node) const;

  // Results of actions.
  /// `leaves` are those of the piece's blocks, as hashed.
  void verified(std::uint32_t piece, std::span<const Hash256> leaves, Instant now);
  void failed(std::uint32_t piece, std::span<const Hash256> leaves, Instant now);
  /// The disk did not take the piece: it is missing again, and nobody is to blame.
  void lost(std::uint32_t piece, Instant now);
  void layer_computed(std::vector<Hash256> layer, Instant now);
  void leaves_read(PeerRef, const bt::HashSpan&, std::vector<Hash256> leaves, Instant now);
  void hashes_sent(PeerRef);
  /// A piece that came from elsewhere, verified and stored.
  void injected(std::uint32_t piece, Instant now);

  // The uplink takes a block: which? The peer is busy until block_sent().
  std::optional<Upload> next_block(Instant now);
  /// A block that follows the last one for the same peer, when the uplink takes many at once.
  std::optional<Upload> more_for(PeerRef, Instant now);
  bool has_uploads(Instant now) const;
  /// When something that the limits hold back may go on, if there is such a thing: call tick() then
  /// and look for uploads again.
  std::optional<Instant> held_until(Instant now) const;
  void block_sent(PeerRef, const bt::BlockRef&, Instant now);

  /// The tracker has said where this node stands in its zone: what it fetches from other zones
  /// follows from that, and from the number of nodes how soon it tells of rare pieces.
  void set_place(ZonePlace);

  // Readers: the pieces from a reader's position on come first.
  void set_reader(std::uint64_t id, std::uint64_t offset, Instant now);
  void remove_reader(std::uint64_t id);

  /// To be called again after the returned time.
  Duration tick(Instant now);
  std::vector<Action> take_actions();

  // What is.
  bool complete() const;
  bool has(std::uint32_t piece) const;
  std::uint32_t have_count() const;
  /// Verified bytes in a row from `offset` on.
  std::uint64_t readable_from(std::uint64_t offset) const;
  const std::vector<Hash256>& layer() const;
  const SwarmCounts& counts() const;
  std::size_t peer_count() const;
  std::uint32_t pieces_of(PeerRef) const;
  bool wants(std::uint32_t piece) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::swarm::core
