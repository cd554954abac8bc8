#include "tracker/peers/peer_table.hpp"

#include <cstring>

namespace convoy::tracker {
namespace {

constexpr int kLifeInIntervals = 3;

}  // namespace

std::size_t PeerTable::HashOfHash::operator()(const Hash256& h) const noexcept {
  std::size_t out = 0;
  std::memcpy(&out, h.data(), sizeof out);
  return out;
}

PeerTable::PeerTable(PeerTableOptions options, Random& random)
    : options_(options), random_(random) {}

Result<HandOut> PeerTable::call(const bt::InfoHash& info_hash, PeerCall call, SteadyTime now) {
  auto it = swarms_.find(info_hash);
  if (it == swarms_.end()) {
    if (call.address.port == 0) {
      HandOut none;
      none.interval = options_.interval;
      return none;
    }
    if (swarms_.size() >= options_.max_swarms) return exhausted("tracker_full");
    it = swarms_.emplace(info_hash, Swarm(options_.policy)).first;
  }
  Swarm& swarm = it->second;
  swarm.expire(now);
  std::optional<Swarm::Id> id;
  if (call.address.port != 0) {
    const SteadyTime expires = now + kLifeInIntervals * options_.interval;
    id = swarm.enter({call.node, call.address, call.registry, call.zone, expires}, now);
  }
  if (id) {
    Swarm::Member& self = swarm.member(*id);
    if (call.completed && !self.seed) ++swarm.completed;
    self.seed = call.seed;
    swarm.link_up(*id, now, random_);
  }
  HandOut out = hand_out(swarm, id, call, now);
  if (id) {
    Swarm::Member& self = swarm.member(*id);
    ++self.calls;
    self.last_call = now;
    self.told = out.interval;
    self.told_size = out.zone_count;
  }
  return out;
}

HandOut PeerTable::hand_out(Swarm& swarm, std::optional<Swarm::Id> id, const PeerCall& call,
                            SteadyTime now) {
  HandOut out;
  out.interval = id ? swarm.next_call(*id, options_.interval) : options_.interval;
  out.seeders = swarm.seeds();
  out.leechers = static_cast<std::uint32_t>(swarm.size()) - out.seeders;
  if (id) {
    out.zone_index = swarm.member(*id).place;
    out.zone_count = swarm.zone_size(*id);
  }
  if (call.seed || call.numwant == 0 || call.address.port == 0) return out;
  const Origin* origin = living_origin(call.registry, now);
  if (id && origin != nullptr && swarm.takes_origin(*id, origin->zone, random_)) {
    out.peers.push_back({origin->address, true});
    swarm.member(*id).origin_link = true;
  }
  const bool linked = id && !swarm.excluded(call.node);
  const auto others =
      linked ? swarm.member(*id).links : swarm.sample(options_.policy.degree, random_);
  for (const Swarm::Id other : others) {
    if (out.peers.size() >= call.numwant) break;
    if (swarm.member(other).node == call.node) continue;
    out.peers.push_back({swarm.member(other).address, false});
  }
  return out;
}

void PeerTable::leave(const bt::InfoHash& info_hash, const std::string& node) {
  const auto it = swarms_.find(info_hash);
  if (it == swarms_.end()) return;
  it->second.leave(node);
  if (it->second.empty()) swarms_.erase(it);
}

bool PeerTable::report(const bt::InfoHash& info_hash, const std::string& reporter,
                       const std::string& node) {
  const auto it = swarms_.find(info_hash);
  return it != swarms_.end() && it->second.report(reporter, node);
}

void PeerTable::register_origin(const std::string& registry, bt::PeerEndpoint address,
                                std::string zone, SteadyTime now) {
  const SteadyTime until = now + kLifeInIntervals * options_.interval;
  origins_.insert_or_assign(registry, Origin{std::move(address), std::move(zone), until});
}

const PeerTable::Origin* PeerTable::living_origin(const std::string& registry,
                                                  SteadyTime now) const {
  const auto it = origins_.find(registry);
  return it == origins_.end() || it->second.until <= now ? nullptr : &it->second;
}

std::optional<bt::PeerEndpoint> PeerTable::origin(const std::string& registry,
                                                  SteadyTime now) const {
  const Origin* known = living_origin(registry, now);
  return known == nullptr ? std::nullopt : std::optional(known->address);
}

SwarmCount PeerTable::count(const bt::InfoHash& info_hash) const {
  const auto it = swarms_.find(info_hash);
  if (it == swarms_.end()) return {};
  const std::uint32_t seeds = it->second.seeds();
  return {seeds, it->second.completed, static_cast<std::uint32_t>(it->second.size()) - seeds};
}

void PeerTable::expire(SteadyTime now) {
  for (auto& [hash, swarm] : swarms_) swarm.expire(now);
  std::erase_if(swarms_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t PeerTable::members() const {
  std::size_t n = 0;
  for (const auto& [hash, swarm] : swarms_) n += swarm.size();
  return n;
}

}  // namespace convoy::tracker
