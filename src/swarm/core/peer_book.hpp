#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "swarm/core/types.hpp"
#include "wire/bt/announce.hpp"

namespace convoy::swarm::core {

/// The addresses a torrent knows, and when to dial which.
class PeerBook {
 public:
  explicit PeerBook(std::uint64_t seed) : seed_(seed) {}

  /// From the tracker. At most kMaxPeers are kept; what was never reached makes room. Origins and
  /// the first few are due at once, further ones a little later each.
  void add(const bt::PeerEndpoint&, bool origin, Instant now);
  /// Addresses to dial now; they count as being dialled until failed() or reached().
  std::vector<bt::PeerEndpoint> due(std::size_t most, Instant now);
  /// When the next one is due; `none` when nothing waits.
  Instant next_due(Instant none) const;
  /// Nobody there, or refused: again later, each time twice as late (0.2 s to 30 s; 5 s for an
  /// origin).
  void failed(const bt::PeerEndpoint&, Instant now);
  /// The address is this node's; as long as the node is connected it is not dialled.
  void reached(const bt::PeerEndpoint&, const std::string& node, Instant now);
  void node_connected(const std::string& node);
  void node_gone(const std::string& node, Instant now);
  /// Never again: it is this node itself, or banned.
  void forget(const bt::PeerEndpoint&);
  std::size_t size() const { return entries_.size(); }

  static constexpr std::size_t kMaxPeers = 200;

 private:
  struct Entry {
    bool origin = false, dialling = false, connected = false, never = false;
    std::uint32_t failures = 0;
    Instant next{}, since{};
    std::string node;
  };
  void back_off(Entry&, Instant now);

  std::map<bt::PeerEndpoint, Entry> entries_;
  std::uint64_t seed_;
};

}  // namespace convoy::swarm::core
