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

std::optional<Swarm::Id> Swarm::enter(Entry entry, SteadyTime now) {
  auto id = find(entry.node);
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
    slots_[*id].node = entry.node;
    slots_[*id].joined = now;
    position_[*id] = live_.size();
    live_.push_back(*id);
    by_node_.emplace(entry.node, *id);
    settle(*id, entry.zone);
  } else if (zone_name(*id) != entry.zone) {
    unlink_all(*id);
    unsettle(*id);
    settle(*id, entry.zone);
  }
  Member& m = slots_[*id];
  m.address = std::move(entry.address);
  m.registry = std::move(entry.registry);
  m.expires = entry.expires;
  return id;
}

void Swarm::settle(Id id, const std::string& zone) {
  auto at =
      std::find_if(zones_.begin(), zones_.end(), [&](const Zone& z) { return z.name == zone; });
  if (at == zones_.end()) {  // the place of one that all have left, or a new one
    at =
        std::find_if(zones_.begin(), zones_.end(), [](const Zone& z) { return z.members.empty(); });
    if (at == zones_.end()) at = zones_.emplace(at);
    at->name = zone;
  }
  slots_[id].zone = static_cast<std::uint32_t>(at - zones_.begin());
  slots_[id].place = static_cast<std::uint32_t>(at->members.size());
  at->members.push_back(id);
}

/// The last one of the zone takes the place that becomes free.
void Swarm::unsettle(Id id) {
  auto& members = zones_[slots_[id].zone].members;
  const std::uint32_t place = slots_[id].place;
  members[place] = members.back();
  slots_[members[place]].place = place;
  members.pop_back();
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
  unsettle(id);
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
  if (slots_[a].zone == slots_[b].zone) return;
  ++slots_[a].cross;
  ++slots_[b].cross;
}

void Swarm::unlink_all(Id id) {
  for (const Id other : slots_[id].links) {
    std::erase(slots_[other].links, id);
    if (slots_[other].zone != slots_[id].zone) --slots_[other].cross;
  }
  slots_[id].links.clear();
  slots_[id].cross = 0;
}

/// Members on that side of the border that `id` could be linked to and is not.
std::vector<Swarm::Id> Swarm::strangers(Id id, Side side) const {
  const Member& self = slots_[id];
  const auto& from = side == Side::home ? home_of(self) : live_;
  std::vector<Id> out;
  out.reserve(from.size());
  for (const Id other : from) {
    if (other == id || contains(self.links, other)) continue;
    if (side == Side::across && slots_[other].zone == self.zone) continue;
    if (!reports_.empty() && excluded(slots_[other].node)) continue;
    out.push_back(other);
  }
  return out;
}

std::size_t Swarm::degree(const Member& m, Side side) const {
  if (side == Side::both) return m.links.size();
  return side == Side::across ? m.cross : m.links.size() - m.cross;
}

Swarm::Wanted Swarm::wanted(const Member& m) const {
  const std::size_t near = home_of(m).size() - 1;
  const std::size_t far = live_.size() - home_of(m).size();
  Wanted out;
  out.home = std::min<std::size_t>(policy_.degree, near);
  // More of the zone may come the next moment.
  const std::size_t short_by = m.calls == 0 ? 0 : policy_.degree - out.home;
  out.across = std::min(far, std::max<std::size_t>(policy_.cross_links, short_by));
  return out;
}

/// Links up to so many random members of the pool whose degree is below the cap, the emptier of
/// two each time. Returns how many.
std::size_t Swarm::take(Id id, std::vector<Id> pool, Take t, Random& random) {
  std::erase_if(pool, [&](Id other) {
    return degree(slots_[other], t.side) >= t.cap || contains(slots_[id].links, other);
  });
  std::size_t taken = 0;
  while (taken < t.wanted && !pool.empty()) {
    std::size_t a = static_cast<std::size_t>(random.below(pool.size()));
    const std::size_t b = static_cast<std::size_t>(random.below(pool.size()));
    if (degree(slots_[pool[b]], t.side) < degree(slots_[pool[a]], t.side)) a = b;
    link(id, pool[a]);
    pool[a] = pool.back();
    pool.pop_back();
    ++taken;
  }
  return taken;
}

/// The same; where all are full, better a few links too many there than none here.
std::size_t Swarm::take_or_overfill(Id id, const std::vector<Id>& pool, Take t, std::size_t most,
                                    Random& random) {
  const std::size_t taken = take(id, pool, t, random);
  return taken + take(id, pool, {t.wanted - taken, most, t.side}, random);
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
  const Member& self = slots_[id];
  if (self.seed || excluded(self.node)) return;
  const bool early = came_back_early(self, now);
  if (self.calls > 0 && home_of(self).size() <= policy_.degree + 1) {
    for (const Id other : strangers(id, Side::home)) link(id, other);
  } else {
    link_home(id, early, now, random);
  }
  link_across(id, early, random);
}

void Swarm::link_home(Id id, bool early, SteadyTime now, Random& random) {
  const Member& self = slots_[id];
  const std::size_t degree = policy_.degree;
  const std::size_t half = std::max<std::size_t>(1, degree / 2);
  const std::size_t has = this->degree(self, Side::home);
  std::size_t wanted = has < degree ? degree - has : 0;
  if (early) wanted = std::max(wanted, half);
  if (wanted == 0 || has + wanted > 4 * degree) return;

  std::vector<Id> earlier = strangers(id, Side::home);
  const auto split = std::partition(earlier.begin(), earlier.end(), [&](Id other) {
    return slots_[other].joined + policy_.wave <= now || slots_[other].seed;
  });
  const std::vector<Id> wave(split, earlier.end());
  earlier.erase(split, earlier.end());

  const bool first = self.calls == 0;
  const Take of_wave{first ? std::min<std::size_t>(policy_.first_links, wanted) : wanted,
                     first ? 2 * policy_.first_links + 1 : degree};
  wanted -= take_or_overfill(id, wave, of_wave, 2 * degree, random);
  if (first && !wave.empty()) wanted = std::min(half, wanted);
  take_or_overfill(id, earlier, {wanted, 2 * degree}, 4 * degree, random);
}

/// Those that lack links of this kind themselves come first. There may be few in other zones and
/// many here: those then have more, but not without bound.
void Swarm::link_across(Id id, bool early, Random& random) {
  const Member& self = slots_[id];
  const std::size_t most = std::size_t{2} * policy_.degree;
  std::size_t wanted = this->wanted(self).across;
  if (early) wanted = std::min<std::size_t>(self.cross + policy_.cross_links, most);
  if (self.cross >= wanted) return;
  const Take across{wanted - self.cross, policy_.cross_links, Side::across};
  take_or_overfill(id, strangers(id, Side::across), across, most, random);
}

bool Swarm::takes_origin(Id id, const std::string& origin_zone, Random& random) const {
  const Member& self = slots_[id];
  if (self.seed) return false;
  if (self.origin_link) return true;
  const std::size_t holders = with_origin();
  if (!kept_from(self, origin_zone)) {
    if (holders < policy_.first_with_origin) return true;
    const std::size_t of = zone_name(id) == origin_zone ? home_of(self).size() : live_.size();
    if (self.calls == 1 && random.below(of) < policy_.origin_links) return true;
  }
  // One that comes back, in a swarm where nobody has all of it yet, may be waiting for a piece
  // that only the origin has.
  return self.calls > policy_.short_calls && seeds() < 2 && holders < 2 * policy_.origin_links;
}

std::size_t Swarm::with_origin() const {
  return static_cast<std::size_t>(std::count_if(live_.begin(), live_.end(), [&](Id id) {
    return slots_[id].origin_link && !slots_[id].seed;
  }));
}

/// Whether the origin stands in another zone, and that one can spread what the origin has.
bool Swarm::kept_from(const Member& m, const std::string& origin_zone) const {
  if (zones_[m.zone].name == origin_zone) return false;
  const auto zone = std::find_if(zones_.begin(), zones_.end(),
                                 [&](const Zone& z) { return z.name == origin_zone; });
  return zone != zones_.end() && zone->members.size() >= policy_.zone_holds_origin;
}

std::chrono::seconds Swarm::next_call(Id id, std::chrono::seconds interval) const {
  const Member& self = slots_[id];
  if (self.seed || self.calls > policy_.short_calls) return interval;
  const Wanted wanted = this->wanted(self);
  const bool lacks = degree(self, Side::home) < wanted.home || self.cross < wanted.across;
  // What a member gets at its second call, and who fetches what over a border, hang on how many
  // there are.
  const bool matters = self.told_size == 0 || degree(self, Side::home) < policy_.degree ||
                       zone_size(id) < live_.size();
  const bool grows = matters && self.told_size != zone_size(id);
  return lacks || grows ? std::min(policy_.short_interval, interval) : interval;
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
