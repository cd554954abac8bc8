#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "tracker/peers/swarm.hpp"
#include "wire/bt/announce.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::tracker {

struct PeerTableOptions {
  std::chrono::seconds interval{30};
  SwarmPolicy policy;
  std::size_t max_swarms = 100'000;
};

/// A node's word to one swarm: a ticket call or an announce.
struct PeerCall {
  std::string node;          ///< SPIFFE id, from the certificate
  bt::PeerEndpoint address;  ///< the connection's IP, the claimed port; port 0 does not join
  std::string registry;      ///< whose origin this node may be given
  std::string zone;          ///< where it says it stands; "": the common zone
  bool seed = false;         ///< has everything
  bool completed = false;    ///< became complete just now
  std::uint32_t numwant = 50;
};

struct HandedPeer {
  bt::PeerEndpoint address;
  bool origin = false;
};

struct HandOut {
  std::vector<HandedPeer> peers;  ///< the origin first
  std::chrono::seconds interval{30};
  std::uint32_t seeders = 0, leechers = 0;
  std::uint32_t zone_index = 0, zone_count = 1;  ///< its place among the nodes of its zone
};

struct SwarmCount {
  std::uint32_t seeders = 0, completed = 0, leechers = 0;
};

/// Who is in which swarm, and whom each is told of (tracker-api.md, "Hand-out"). Pure: time and
/// randomness come in. Soft state: a member is forgotten three intervals after its last call.
class PeerTable {
 public:
  PeerTable(PeerTableOptions, Random&);

  /// Joins or refreshes. Error (exhausted) "tracker_full" when no further swarm fits.
  Result<HandOut> call(const bt::InfoHash&, PeerCall, SteadyTime now);
  /// BEP 3 "stopped".
  void leave(const bt::InfoHash&, const std::string& node);
  /// `reporter` says that `node` gave it wrong bytes. True when the node is, from now on, no longer
  /// handed out in that swarm: two different nodes have said so.
  bool report(const bt::InfoHash&, const std::string& reporter, const std::string& node);

  /// Where a registry's origin seeder listens, and in which zone; forgotten after three intervals.
  void register_origin(const std::string& registry, bt::PeerEndpoint, std::string zone,
                       SteadyTime now);
  std::optional<bt::PeerEndpoint> origin(const std::string& registry, SteadyTime now) const;

  SwarmCount count(const bt::InfoHash&) const;
  void expire(SteadyTime now);
  std::size_t swarms() const { return swarms_.size(); }
  std::size_t members() const;

 private:
  struct Origin {
    bt::PeerEndpoint address;
    std::string zone;
    SteadyTime until;
  };
  const Origin* living_origin(const std::string& registry, SteadyTime now) const;
  HandOut hand_out(Swarm&, std::optional<Swarm::Id>, const PeerCall&, SteadyTime now);

  struct HashOfHash {
    std::size_t operator()(const Hash256& h) const noexcept;
  };

  PeerTableOptions options_;
  Random& random_;
  std::unordered_map<Hash256, Swarm, HashOfHash> swarms_;
  std::unordered_map<std::string, Origin> origins_;  ///< by registry: as many as are configured
};

}  // namespace convoy::tracker
