#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "wire/bt/announce.hpp"

namespace convoy::tracker {

/// How the graph over a swarm is grown. Figures: simulation of flash crowds up to 10,000 nodes.
struct SwarmPolicy {
  std::uint32_t degree = 10;      ///< within a zone
  std::uint32_t first_links = 3;  ///< of the own wave at the first call, the others at the next
  std::uint32_t cross_links = 2;  ///< to other zones
  std::chrono::seconds wave{3};   ///< who joined within this time is of one wave
  /// Members that hold the origin's address: so many of the first to come, then so many of all,
  /// drawn at random. Were they the first comers alone, who know each other best, the origin would
  /// feed one corner of the graph.
  std::uint32_t first_with_origin = 16;
  std::uint32_t origin_links = 64;
  std::chrono::seconds short_interval{1};  ///< see next_call()
  std::uint32_t short_calls = 5;           ///< at most so many calls at the short interval
  std::size_t zone_holds_origin = 4;       ///< a zone of fewer does not keep its origin to itself
  std::size_t max_members = 20'000;
};

/// One swarm: members and the links they were handed. From the second call on, up to degree + 1
/// members everybody is linked to everybody, and beyond everybody has `degree` random links or
/// a few more. The first call gives `first_links` members of its own wave and degree/2 earlier
/// ones: of a crowd that starts at once only those are known that came before, and who got all
/// links from them would sit in a corner with the first comers, who hold the origin. A moment later
/// all are there. All this within one zone; to other zones each member has `cross_links`, and from
/// its second call on as many as a small zone falls short of `degree`. Members that are complete
/// are linked to but ask for nobody. Pure.
class Swarm {
 public:
  using Id = std::uint32_t;

  struct Member {
    std::string node;
    bt::PeerEndpoint address;
    std::string registry;
    std::uint32_t zone = 0;       ///< see zone_name()
    std::uint32_t place = 0;      ///< among the members of its zone: less than zone_size()
    std::uint32_t told_size = 0;  ///< how many its zone had when it called last
    SteadyTime joined, last_call, expires;
    bool seed = false;
    bool origin_link = false;  ///< was handed the origin
    std::uint32_t calls = 0;
    std::chrono::seconds told{0};  ///< after how long it was asked to call again
    std::vector<Id> links;         ///< symmetric
    std::uint32_t cross = 0;       ///< of them, to other zones
  };

  explicit Swarm(SwarmPolicy policy) : policy_(policy) {}

  struct Entry {
    std::string node;
    bt::PeerEndpoint address;
    std::string registry;
    std::string zone;
    SteadyTime expires;
  };
  /// Enters or refreshes the member; nothing when the swarm is full. One that has changed its zone
  /// gets links anew.
  std::optional<Id> enter(Entry, SteadyTime now);
  void leave(const std::string& node);
  /// Looks at most once a second.
  void expire(SteadyTime now);

  Member& member(Id id) { return slots_[id]; }
  const Member& member(Id id) const { return slots_[id]; }
  std::optional<Id> find(const std::string& node) const;

  /// Gives the member the links that it lacks. One that comes back well before it was asked to
  /// has found too few of them alive: it gets degree/2 fresh ones besides.
  void link_up(Id, SteadyTime now, Random&);
  /// Up to `n` random members, for one that cannot be entered.
  std::vector<Id> sample(std::size_t n, Random&) const;
  /// Whether the member may be handed the origin that stands in this zone: first the members of
  /// that zone, while there are a few.
  bool takes_origin(Id, const std::string& origin_zone, Random&) const;
  /// How soon it should call again: `interval`, or the short one at its first calls: at the very
  /// first, while it lacks links, and while its zone grows if it has few links or there are others.
  std::chrono::seconds next_call(Id, std::chrono::seconds interval) const;

  /// True once two different nodes have reported this one.
  bool report(const std::string& reporter, const std::string& node);
  bool excluded(const std::string& node) const;

  std::size_t size() const { return live_.size(); }
  const std::string& zone_name(Id id) const { return zones_[slots_[id].zone].name; }
  /// Members of the member's zone, itself among them.
  std::uint32_t zone_size(Id id) const {
    return static_cast<std::uint32_t>(home_of(slots_[id]).size());
  }
  bool empty() const { return live_.empty(); }
  std::uint32_t seeds() const;
  const std::vector<Id>& live() const { return live_; }
  std::uint32_t completed = 0;  ///< downloads finished (BEP 48)

 private:
  enum class Side : std::uint8_t { home, across, both };
  /// What a member should have, as far as there are members to be had.
  struct Wanted {
    std::size_t home = 0, across = 0;
  };
  struct Zone {
    std::string name;
    std::vector<Id> members;
  };

  std::vector<Id> strangers(Id, Side) const;
  bool came_back_early(const Member&, SteadyTime now) const;
  std::size_t degree(const Member&, Side) const;
  Wanted wanted(const Member&) const;
  bool kept_from(const Member&, const std::string& origin_zone) const;
  std::size_t with_origin() const;
  void link_home(Id, bool early, SteadyTime now, Random&);
  void link_across(Id, bool early, Random&);
  void link(Id, Id);
  void unlink_all(Id);
  void remove(Id);
  void settle(Id, const std::string& zone);
  void unsettle(Id);
  const std::vector<Id>& home_of(const Member& m) const { return zones_[m.zone].members; }
  struct Take {
    std::size_t wanted = 0;
    std::size_t cap = 0;
    Side side = Side::home;
  };
  std::size_t take(Id, std::vector<Id> pool, Take, Random&);
  std::size_t take_or_overfill(Id, const std::vector<Id>& pool, Take, std::size_t most, Random&);

  SwarmPolicy policy_;
  SteadyTime sweep_at_{};
  std::vector<Member> slots_;
  std::vector<Id> free_;
  std::vector<Id> live_;
  std::vector<std::size_t> position_;  ///< of a slot in live_
  std::vector<Zone> zones_;            ///< an empty one's place is taken by the next new one
  std::unordered_map<std::string, Id> by_node_;
  std::map<std::string, std::set<std::string>> reports_;
};

}  // namespace convoy::tracker
