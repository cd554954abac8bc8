#include "sim/tracker.hpp"

#include <algorithm>

namespace convoy::sim {
namespace {

const std::string kRegistry = "registry";

tracker::PeerTableOptions table_options(const SwarmOptions& o) {
  tracker::PeerTableOptions out;
  out.policy.degree = o.degree;
  out.policy.origin_links = o.origin_links;
  return out;
}

std::string zone_name(std::uint32_t zone) { return "zone-" + std::to_string(zone); }

}  // namespace

bt::PeerEndpoint address_of(std::uint32_t node) { return {std::to_string(node), 1}; }

std::uint32_t node_at(const bt::PeerEndpoint& address) {
  return static_cast<std::uint32_t>(std::stoul(address.ip));
}

std::string name_of(std::uint32_t node) { return "node-" + std::to_string(node); }

SimTracker::SimTracker(const SwarmOptions& o, Random& random) : table_(table_options(o), random) {}

bool SimTracker::up(Instant now) const {
  return std::none_of(outages_.begin(), outages_.end(),
                      [now](const auto& o) { return o.first <= now && now < o.second; });
}

std::optional<SimTracker::Answer> SimTracker::call(std::uint32_t node, std::uint32_t zone,
                                                   std::uint32_t layer, Instant now) {
  if (!up(now)) return std::nullopt;
  table_.register_origin(kRegistry, address_of(0), zone_name(0), now);
  bt::InfoHash hash{};
  hash[0] = static_cast<std::uint8_t>(layer);
  tracker::PeerCall call;
  call.node = name_of(node);
  call.address = address_of(node);
  call.registry = kRegistry;
  call.zone = zone_name(zone);
  const auto handed = table_.call(hash, std::move(call), now);
  if (!handed) return std::nullopt;
  Answer out;
  for (const auto& p : handed->peers) out.peers.emplace_back(node_at(p.address), p.origin);
  out.interval = handed->interval;
  out.place = {handed->zone_index, handed->zone_count};
  return out;
}

}  // namespace convoy::sim
