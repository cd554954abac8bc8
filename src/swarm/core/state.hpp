#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "swarm/core/meter.hpp"
#include "swarm/core/piece_table.hpp"
#include "swarm/core/swarm.hpp"
#include "swarm/core/types.hpp"
#include "swarm/core/zones.hpp"
#include "wire/bt/merkle.hpp"

// What the parts of the core share. Private to swarm/core.
namespace convoy::swarm::core {

struct OpenRequest {
  std::uint32_t piece = 0, block = 0;
  Instant asked{};
};

struct Wanted {
  bt::BlockRef block;
  std::uint64_t number = 0;  ///< order of arrival over all peers
  Instant since{};
};

struct Peer {
  Peer(PeerRef r, PeerInfo i, NameRef n, std::uint32_t pieces, Instant now)
      : ref(r),
        info(std::move(i)),
        name(n),
        have(pieces),
        connected(now),
        began(now - info.age),
        last_block(now),
        last_heard(now),
        elsewhere(now) {}

  PeerRef ref;
  PeerInfo info;
  NameRef name;
  /// Beyond the border: asked only for what this node is to fetch there. An origin serves by
  /// offers wherever it stands.
  bool far() const { return info.other_zone && !info.origin; }
  /// Whether the piece may be asked for here, as far as this peer goes.
  bool serves(std::uint32_t piece) const { return !choking && !stalled && have.test(piece); }
  PieceSet have;
  Instant connected, began;
  bool said_have = false;    ///< its first message (bitfield, have all/none) is in
  std::uint32_t had = 0;     ///< pieces it told of in that
  bool interested = false;   ///< it wants pieces and knows the piece layer
  bool choking = true;       ///< it does not serve us (yet)
  std::uint32_t useful = 0;  ///< pieces it has and we lack

  std::vector<OpenRequest> open;  ///< oldest first
  std::uint64_t asked = 0;        ///< when it was last asked, as a turn number
  std::uint64_t forgiven = 0;     ///< bytes of cancelled requests whose blocks may still come
  std::uint32_t unsolicited = 0;
  bool stalled = false;
  Instant last_block;
  LatencyMeter latency;
  std::vector<std::uint32_t> offers;  ///< of an origin: what it offered and we still lack

  std::vector<Wanted> wanted;           ///< what it asked for and did not get yet
  std::vector<Wanted> early;            ///< and is not here yet, though promised
  bool sending = false;                 ///< a block to it is on its way into the socket
  std::shared_ptr<TokenBucket> upload;  ///< what is sent to it is charged to; may be null
  std::uint64_t served = 0;             ///< when it was last served, as a turn number
  std::uint32_t bad_requests = 0, unknown_requests = 0;
  std::uint32_t hash_requests = 0;
  Instant tickets_until{};  ///< the tickets it has shown last until then, a second each

  Instant layer_retry{};  ///< not asked for the piece layer before
  std::uint32_t layer_refusals = 0, rows_given = 0;
  Instant last_heard, last_said{};

  // Only used by an origin.
  PieceSet offered;     ///< sized on the first offer
  LatencyMeter uptake;  ///< from an offer to the first request for it
  std::uint64_t offer_turn = 0;
  Instant spread{};                      ///< when somebody else got a piece that only it had
  Instant elsewhere;                     ///< when it last got a piece that was not offered by us
  std::optional<std::uint32_t> at_look;  ///< pieces when gains were last compared
  std::uint32_t behind = 0;  ///< looks in a row when it had gained less than half of what most had
};

/// From asking for a block to having it, the mean over peers: now, and while nothing queued.
struct BlockTimes {
  Duration usual{}, least{};
};

/// Differs from blob to blob, and is the same for all nodes.
std::uint64_t salt_of(const bt::BlobMeta&);

struct State {
  explicit State(SwarmConfig c)
      : config(std::move(c)),
        pieces(config.meta, config.have),
        border(salt_of(config.meta)),
        layer(config.layer) {}

  SwarmConfig config;
  PieceTable pieces;
  Border border;
  std::vector<Hash256> layer;  ///< empty until known and verified
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::string> names;
  std::map<std::string, NameRef, std::less<>> name_index;
  std::set<std::string, std::less<>> banned;
  std::set<NameRef> reported;                      ///< for wrong bytes; a ban may have come first
  std::set<std::uint32_t> failed_before;           ///< pieces that once came with wrong bytes
  std::map<std::uint64_t, std::uint64_t> readers;  ///< reader id -> byte offset
  std::vector<Action> out;
  RateMeter down, up;
  std::uint64_t turn = 0;

  bool knows_layer() const { return !layer.empty(); }
  Peer* find(PeerRef ref) const {
    for (const auto& p : peers) {
      if (p->ref == ref) return p.get();
    }
    return nullptr;
  }
  NameRef intern(const std::string& node);
  /// The peer says it has a piece, or has it no more. Both return whether that was news.
  bool peer_gains(Peer&, std::uint32_t piece);
  bool peer_loses(Peer&, std::uint32_t piece);
  void send(Peer& peer, bt::Message message, Duration wait = {}) {
    out.push_back(SendMessage{peer.ref, std::move(message), wait});
  }
  std::uint32_t length_of(const OpenRequest& r) const {
    return pieces.block(r.piece, r.block).length;
  }
  /// How long the node's limits hold back what may be asked of this peer.
  Duration held_back(const Peer&, Instant now) const;
  void charge(const Peer&, std::uint64_t bytes);
  /// It was charged and will not come.
  void refund(const Peer&, std::uint64_t bytes);
  /// Nobody reads here, and somebody waits for another torrent.
  bool yields() const {
    return config.traffic != nullptr && config.traffic->waiting > 0 && readers.empty();
  }
  /// Whether the piece may be asked of peers of other zones: it is this node's to fetch, and
  /// nobody at home serves it.
  bool may_cross(std::uint32_t piece) const;
  /// Of all peers but origins; without a value none has sent a block yet.
  std::optional<BlockTimes> block_times() const;
  double down_rate(Instant now) const;
  double up_rate(Instant now) const;
  std::size_t max_active() const {
    return std::max<std::size_t>(4, config.max_active_bytes / config.meta.piece_length);
  }
};

}  // namespace convoy::swarm::core
