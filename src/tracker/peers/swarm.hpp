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
  std::uint32_t degree = 10;
  std::chrono::seconds wave{10};           ///< who joined within this time is of one wave
  std::uint32_t origin_links = 64;         ///< live members that hold the origin's address
  std::chrono::seconds short_interval{2};  ///< until a new member has all its links
  std::uint32_t short_calls = 5;           ///< at most so many calls at the short interval
  std::size_t max_members = 20'000;
};

/// One swarm: members and the links they were handed. Up to degree + 1 members everybody is linked
/// to everybody. Beyond, a joiner gets degree/2 random members of its own wave and degree/2
/// earlier ones; what its wave cannot give yet comes with later joiners or its next call, so
/// that in the end everybody has at least `degree` links and few have much more.
/// Members that are complete are linked to but ask for nobody. Pure.
class Swarm {
 public:
  using Id = std::uint32_t;

  struct Member {
    std::string node;
    bt::PeerEndpoint address;
    std::string registry;
    SteadyTime joined, last_call, expires;
    bool seed = false;
    bool origin_link = false;  ///< was handed the origin
    std::uint32_t calls = 0;
    std::chrono::seconds told{0};  ///< after how long it was asked to call again
    std::vector<Id> links;         ///< symmetric
  };

  explicit Swarm(SwarmPolicy policy) : policy_(policy) {}

  /// Enters or refreshes the member; nothing when the swarm is full.
  std::optional<Id> enter(const std::string& node, bt::PeerEndpoint, const std::string& registry,
                          SteadyTime now, SteadyTime expires);
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
  /// Whether the member may be handed the origin.
  bool takes_origin(Id) const;
  /// How soon it should call again: `interval`, or the short one.
  std::chrono::seconds next_call(Id, std::chrono::seconds interval) const;

  /// True once two different nodes have reported this one.
  bool report(const std::string& reporter, const std::string& node);
  bool excluded(const std::string& node) const;

  std::size_t size() const { return live_.size(); }
  bool empty() const { return live_.empty(); }
  std::uint32_t seeds() const;
  const std::vector<Id>& live() const { return live_; }
  std::uint32_t completed = 0;  ///< downloads finished (BEP 48)

 private:
  std::vector<Id> strangers(Id) const;
  bool came_back_early(const Member&, SteadyTime now) const;
  void link(Id, Id);
  void unlink_all(Id);
  void remove(Id);
  std::size_t take(Id, std::vector<Id>& pool, std::size_t wanted, std::size_t cap, Random&);

  SwarmPolicy policy_;
  SteadyTime sweep_at_{};
  std::vector<Member> slots_;
  std::vector<Id> free_;
  std::vector<Id> live_;
  std::vector<std::size_t> position_;  ///< of a slot in live_
  std::unordered_map<std::string, Id> by_node_;
  std::map<std::string, std::set<std::string>> reports_;
};

}  // namespace convoy::tracker
