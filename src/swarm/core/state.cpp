#include "swarm/core/state.hpp"

#include <algorithm>

namespace convoy::swarm::core {

std::uint64_t salt_of(const bt::BlobMeta& meta) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | meta.pieces_root[i];
  return out;
}

NameRef State::intern(const std::string& node) {
  const auto [it, fresh] = name_index.try_emplace(node, static_cast<NameRef>(names.size()));
  if (fresh) names.push_back(node);
  return it->second;
}

bool State::peer_gains(Peer& peer, std::uint32_t piece) {
  if (!peer.have.set(piece)) return false;
  pieces.seen(piece);
  if (!pieces.has(piece)) {
    ++peer.useful;
    if (peer.info.origin) peer.offers.push_back(piece);
  }
  return true;
}

bool State::peer_loses(Peer& peer, std::uint32_t piece) {
  if (!peer.have.clear(piece)) return false;
  pieces.unseen(piece);
  if (!pieces.has(piece)) --peer.useful;
  std::erase(peer.offers, piece);
  return true;
}

Duration State::held_back(const Peer& peer, Instant now) const {
  if (config.traffic == nullptr) return Duration::zero();
  Duration wait{};
  if (config.traffic->down) wait = config.traffic->down->wait(now);
  if (config.traffic->origin && peer.info.origin) {
    wait = std::max(wait, config.traffic->origin->wait(now));
  }
  return wait;
}

void State::charge(const Peer& peer, std::uint64_t bytes) {
  if (config.traffic == nullptr) return;
  if (config.traffic->down) config.traffic->down->take(bytes);
  if (config.traffic->origin && peer.info.origin) config.traffic->origin->take(bytes);
}

void State::refund(const Peer& peer, std::uint64_t bytes) {
  if (config.traffic == nullptr) return;
  if (config.traffic->down) config.traffic->down->give_back(bytes);
  if (config.traffic->origin && peer.info.origin) config.traffic->origin->give_back(bytes);
}

bool State::may_cross(std::uint32_t piece) const {
  if (!border.mine(piece)) return false;
  if (pieces.availability(piece) == border.holders(piece)) return true;
  return std::none_of(peers.begin(), peers.end(),
                      [piece](const auto& p) { return !p->far() && p->serves(piece); });
}

std::optional<BlockTimes> State::block_times() const {
  BlockTimes sum;
  int n = 0;
  for (const auto& p : peers) {
    if (p->info.origin || !p->latency.least()) continue;
    sum.usual += p->latency.average();
    sum.least += *p->latency.least();
    ++n;
  }
  if (n == 0) return std::nullopt;
  return BlockTimes{sum.usual / n, sum.least / n};
}

double State::down_rate(Instant now) const {
  const double measured = down.rate(now);
  return measured > 0 ? measured : static_cast<double>(config.expected_rate);
}

double State::up_rate(Instant now) const {
  const double measured = up.rate(now);
  return measured > 0 ? measured : static_cast<double>(config.expected_rate);
}

}  // namespace convoy::swarm::core
