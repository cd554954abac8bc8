#include "tracker/peers/swarm.hpp"

#include <algorithm>

namespace convoy::tracker {
namespace {

constexpr std::size_t kReportsToExclude = 2;  // one node alone may be wrong, or lie
constexpr std::size_t kMaxReportedNodes = 256;

bool contains(const std::vector<Swarm::Id>& list, Swarm::Id id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

std::optional<Swarm::Id> Swarm::find(const std::string& node) const {
  const auto it = by_node_.find(node);
  if (it == by_node_.end()) return std::nullopt;
  return it->second;
}

std::optional<Swarm::Id> Swarm::enter(const std::string& node, bt::PeerEndpoint address,
                                      const std::string& registry, SteadyTime now,
                                      SteadyTime expires) {
  auto id = find(node);
  if (!id) {
    if (live_.size() >= policy_.max_members) return std::nullopt;
    if (free_.empty()) {
      free_.push_back(static_cast<Id>(slots_.size()));
      slots_.emplace_back();
      position_.push_back(0);
    }
    id = free_.back();
    free_.pop_back();
    slots_[*id] = Member{};
    slots_[*id].node = node;
    slots_[*id].joined = now;
    position_[*id] = live_.size();
    live_.push_back(*id);
    by_node_.emplace(node, *id);
  }
  Member& m = slots_[*id];
  m.address = std::move(address);
  m.registry = registry;
  m.expires = expires;
  return id;
}

void Swarm::leave(const std::string& node) {
  if (const auto id = find(node)) remove(*id);
}

void Swarm::expire(SteadyTime now) {
  if (now < sweep_at_) return;
  sweep_at_ = now + std::chrono::seconds(1);
  std::vector<Id> gone;
  for (const Id id : live_) {
    if (slots_[id].expires <= now) gone.push_back(id);
  }
  for (const Id id : gone) remove(id);
}

void Swarm::remove(Id id) {
  unlink_all(id);
  const std::size_t at = position_[id];
  live_[at] = live_.back();
  position_[live_[at]] = at;
  live_.pop_back();
  by_node_.erase(slots_[id].node);
  slots_[id] = Member{};
  free_.push_back(id);
}

void Swarm::link(Id a, Id b) {
  slots_[a].links.push_back(b);
  slots_[b].links.push_back(a);
}

void Swarm::unlink_all(Id id) {
  for (const Id other : slots_[id].links) std::erase(slots_[other].links, id);
  slots_[id].links.clear();
}

/// Members that `id` could be linked to and is not.
std::vector<Swarm::Id> Swarm::strangers(Id id) const {
  std::vector<Id> out;
  out.reserve(live_.size());
  const Member& self = slots_[id];
  for (const Id other : live_) {
    if (other == id || contains(self.links, other)) continue;
    if (!reports_.empty() && excluded(slots_[other].node)) continue;
    out.push_back(other);
  }
  return out;
}

/// Links up to `wanted` random members of the pool whose degree is below `cap`, the emptier of
/// two each time. Takes them out of the pool.
std::size_t Swarm::take(Id id, std::vector<Id>& pool, std::size_t wanted, std::size_t cap,
                        Random& random) {
  std::erase_if(pool, [&](Id other) { return slots_[other].links.size() >= cap; });
  std::size_t taken = 0;
  while (taken < wanted && !pool.empty()) {
    std::size_t a = static_cast<std::size_t>(random.below(pool.size()));
    const std::size_t b = static_cast<std::size_t>(random.below(pool.size()));
    if (slots_[pool[b]].links.size() < slots_[pool[a]].links.size()) a = b;
    link(id, pool[a]);
    pool[a] = pool.back();
    pool.pop_back();
    ++taken;
  }
  return taken;
}

std::vector<Swarm::Id> Swarm::sample(std::size_t n, Random& random) const {
  std::vector<Id> pool = live_;
  std::erase_if(pool, [&](Id id) { return excluded(slots_[id].node); });
  n = std::min(n, pool.size());
  for (std::size_t i = 0; i < n; ++i) {
    std::swap(pool[i], pool[i + static_cast<std::size_t>(random.below(pool.size() - i))]);
  }
  pool.resize(n);
  return pool;
}

bool Swarm::came_back_early(const Member& self, SteadyTime now) const {
  const auto waited = now - self.last_call;
  return self.calls > 0 && self.told > policy_.short_interval &&
         waited >= std::chrono::seconds(1) && waited < self.told / 2;
}

void Swarm::link_up(Id id, SteadyTime now, Random& random) {
  Member& self = slots_[id];
  if (excluded(self.node)) return;
  const bool early = came_back_early(self, now);
  const std::size_t degree = policy_.degree;
  const std::size_t half = std::max<std::size_t>(1, degree / 2);
  const bool first = self.calls == 0;
  const bool small = live_.size() <= degree + 1;
  if (self.seed && !small) return;
  if (self.links.size() >= degree && !early) return;

  std::vector<Id> pool = strangers(id);
  if (small) {
    for (const Id other : pool) link(id, other);
    return;
  }
  std::size_t wanted = self.links.size() < degree ? degree - self.links.size() : 0;
  if (early) wanted = std::max(wanted, half);
  if (self.links.size() + wanted > 4 * degree) return;

  const auto split = std::partition(pool.begin(), pool.end(), [&](Id other) {
    return slots_[other].joined + policy_.wave > now && !slots_[other].seed;
  });
  std::vector<Id> wave(pool.begin(), split);
  std::vector<Id> earlier(split, pool.end());
  const bool own_wave = !wave.empty();

  wanted -= take(id, wave, first ? std::min(half, wanted) : wanted, degree + half, random);
  const std::size_t from_earlier = first && own_wave ? std::min(half, wanted) : wanted;
  std::vector<Id> rest = earlier;
  std::size_t got = take(id, earlier, from_earlier, 2 * degree, random);
  if (got < from_earlier) {
    // Everybody earlier is full: better a few links too many there than none here.
    std::erase_if(rest, [&](Id other) { return contains(slots_[id].links, other); });
    take(id, rest, std::min(from_earlier - got, half), live_.size(), random);
  }
}

bool Swarm::takes_origin(Id id) const {
  const Member& self = slots_[id];
  if (self.seed) return false;
  if (self.origin_link) return true;
  const auto holders = static_cast<std::uint32_t>(std::count_if(
      live_.begin(), live_.end(), [&](Id m) { return slots_[m].origin_link && !slots_[m].seed; }));
  if (holders < policy_.origin_links) return true;
  // One that comes back, in a swarm where nobody has all of it yet, may be waiting for a piece
  // that only the origin has.
  return self.calls > policy_.short_calls && seeds() < 2 && holders < 2 * policy_.origin_links;
}

std::chrono::seconds Swarm::next_call(Id id, std::chrono::seconds interval) const {
  const Member& self = slots_[id];
  const std::size_t possible = std::min<std::size_t>(policy_.degree, live_.size() - 1);
  const bool lacks = !self.seed && self.links.size() < possible;
  if (lacks && self.calls <= policy_.short_calls) return std::min(policy_.short_interval, interval);
  return interval;
}

bool Swarm::report(const std::string& reporter, const std::string& node) {
  if (reporter == node || !find(reporter)) return excluded(node);
  auto it = reports_.find(node);
  if (it == reports_.end()) {
    if (!find(node) || reports_.size() >= kMaxReportedNodes) return false;
    it = reports_.emplace(node, std::set<std::string>()).first;
  }
  if (it->second.size() < kReportsToExclude) it->second.insert(reporter);
  if (it->second.size() < kReportsToExclude) return false;
  if (const auto id = find(node)) unlink_all(*id);
  return true;
}

bool Swarm::excluded(const std::string& node) const {
  const auto it = reports_.find(node);
  return it != reports_.end() && it->second.size() >= kReportsToExclude;
}

std::uint32_t Swarm::seeds() const {
  return static_cast<std::uint32_t>(
      std::count_if(live_.begin(), live_.end(), [&](Id id) { return slots_[id].seed; }));
}

}  // namespace convoy::tracker
