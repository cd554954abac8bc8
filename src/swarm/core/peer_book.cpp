#include "swarm/core/peer_book.hpp"

#include <algorithm>

#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

/// A connection that lasted this long was a good one.
constexpr Duration kStable = std::chrono::seconds(10);
constexpr Duration kFirst = std::chrono::milliseconds(200);
constexpr Duration kMost = std::chrono::seconds(30);
constexpr Duration kMostOrigin = std::chrono::seconds(5);
/// A handshake costs both sides milliseconds of a core, and a crowd makes thousands of them in its
/// first second: a few peers will do to begin with, the others follow one by one.
constexpr std::size_t kAtOnce = 4;
constexpr Duration kPause = std::chrono::milliseconds(200);

}  // namespace

void PeerBook::add(const bt::PeerEndpoint& address, bool origin, Instant now) {
  if (const auto it = entries_.find(address); it != entries_.end()) {
    it->second.origin = it->second.origin || origin;
    return;
  }
  if (entries_.size() >= kMaxPeers) {
    const auto idle = std::find_if(entries_.begin(), entries_.end(), [](const auto& e) {
      return !e.second.dialling && !e.second.connected && e.second.failures > 0;
    });
    if (idle == entries_.end()) return;
    entries_.erase(idle);
  }
  const auto waiting =
      static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](const auto& e) {
        return !e.second.origin && !e.second.dialling && !e.second.connected && !e.second.never;
      }));
  Entry& e = entries_[address];
  e.origin = origin;
  e.next = now;
  if (!origin && waiting >= kAtOnce) e.next += kPause * (waiting - kAtOnce + 1);
}

std::vector<bt::PeerEndpoint> PeerBook::due(std::size_t most, Instant now) {
  std::vector<bt::PeerEndpoint> out;
  for (auto& [address, e] : entries_) {
    if (out.size() >= most) break;
    if (e.never || e.dialling || e.connected || e.next > now) continue;
    e.dialling = true;
    out.push_back(address);
  }
  return out;
}

Instant PeerBook::next_due(Instant none) const {
  Instant first = none;
  for (const auto& [address, e] : entries_) {
    if (!e.never && !e.dialling && !e.connected) first = std::min(first, e.next);
  }
  return first;
}

void PeerBook::back_off(Entry& e, Instant now) {
  const Duration most = e.origin ? kMostOrigin : kMost;
  const Duration wait = std::min(most, kFirst * (1 << std::min<std::uint32_t>(e.failures, 10)));
  // Up to a quarter more, so that nodes that lost the same peer do not come back together.
  const auto quarter = static_cast<std::uint64_t>(wait.count() / 4);
  e.next = now + wait + Duration(static_cast<Duration::rep>(mix(++seed_) % (quarter + 1)));
  ++e.failures;
}

void PeerBook::failed(const bt::PeerEndpoint& address, Instant now) {
  const auto it = entries_.find(address);
  if (it == entries_.end()) return;
  it->second.dialling = false;
  if (!it->second.connected) back_off(it->second, now);
}

void PeerBook::reached(const bt::PeerEndpoint& address, const std::string& node, Instant now) {
  const auto it = entries_.find(address);
  if (it == entries_.end()) return;
  it->second.dialling = false;
  it->second.connected = true;
  it->second.since = now;
  it->second.node = node;
}

void PeerBook::node_connected(const std::string& node) {
  for (auto& [address, e] : entries_) {
    if (e.node == node) e.connected = true;
  }
}

void PeerBook::node_gone(const std::string& node, Instant now) {
  for (auto& [address, e] : entries_) {
    if (e.node != node || !e.connected) continue;
    e.connected = false;
    if (now - e.since > kStable) e.failures = 0;
    back_off(e, now);
  }
}

void PeerBook::forget(const bt::PeerEndpoint& address) {
  if (const auto it = entries_.find(address); it != entries_.end()) it->second.never = true;
}

}  // namespace convoy::swarm::core
