#include "tracker/peers/peer_table.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <queue>
#include <set>

#include "tracker/peers/grant_table.hpp"

namespace convoy::tracker {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{std::chrono::hours(1)};
const bt::InfoHash kBlob{1};
const std::string kRegistry = "registry.test:5000";

bt::PeerEndpoint address_of(int n) {
  return {"10.0." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1), 6881};
}

PeerCall call_of(int n) {
  PeerCall call;
  call.node = "node-" + std::to_string(n);
  call.address = address_of(n);
  call.registry = kRegistry;
  return call;
}

/// A swarm of nodes that call as they are told to; remembers who was handed whom.
struct Crowd {
  SeededRandom random{7};
  PeerTable table{PeerTableOptions{}, random};
  std::map<std::string, int> by_ip;
  std::map<int, std::set<int>> graph;
  std::map<int, std::chrono::seconds> told;
  std::set<int> with_origin;

  HandOut call(PeerCall call, int n, SteadyTime now) {
    by_ip[call.address.ip] = n;
    auto out = table.call(kBlob, std::move(call), now);
    EXPECT_TRUE(out.ok());
    told[n] = out->interval;
    graph[n];
    for (const auto& peer : out->peers) {
      if (peer.origin) {
        with_origin.insert(n);
        continue;
      }
      const int other = by_ip.at(peer.address.ip);
      EXPECT_NE(other, n);
      graph[n].insert(other);
      graph[other].insert(n);
    }
    return std::move(*out);
  }

  /// All join within a second, then each comes back as often as it is told to come back soon.
  void flash(int nodes) {
    for (int n = 0; n < nodes; ++n) call(call_of(n), n, kStart + n * 1000ms / nodes);
    for (int round = 1; round <= 6; ++round) {
      for (int n = 0; n < nodes; ++n) {
        if (told[n] < 30s) call(call_of(n), n, kStart + round * 2s + n * 1000ms / nodes);
      }
    }
  }

  std::size_t reachable_from(int start) const {
    std::set<int> seen{start};
    std::queue<int> todo;
    todo.push(start);
    while (!todo.empty()) {
      const int n = todo.front();
      todo.pop();
      for (const int other : graph.at(n)) {
        if (seen.insert(other).second) todo.push(other);
      }
    }
    return seen.size();
  }
};

class FlashCrowd : public testing::TestWithParam<int> {};

TEST_P(FlashCrowd, GraphIsConnectedAndNearlyRegular) {
  const int nodes = GetParam();
  Crowd crowd;
  crowd.flash(nodes);
  EXPECT_EQ(crowd.reachable_from(0), static_cast<std::size_t>(nodes));
  const std::size_t wanted = static_cast<std::size_t>(std::min(10, nodes - 1));
  double sum = 0;
  for (const auto& [n, others] : crowd.graph) {
    EXPECT_GE(others.size(), wanted) << "node " << n;
    EXPECT_LE(others.size(), 20u) << "node " << n;
    sum += static_cast<double>(others.size());
  }
  EXPECT_LE(sum / nodes, 14.0);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FlashCrowd,
                         testing::Values(2, 3, 10, 11, 12, 13, 20, 50, 100, 300, 1000));

TEST(PeerTable, UpToElevenEverybodyIsLinkedToEverybody) {
  Crowd crowd;
  for (int n = 0; n < 11; ++n) crowd.call(call_of(n), n, kStart);
  EXPECT_LE(crowd.graph[0].size(), 7u) << "room is left for those that come later";
  for (int n = 0; n < 11; ++n) crowd.call(call_of(n), n, kStart + 1s);
  for (const auto& [n, others] : crowd.graph) EXPECT_EQ(others.size(), 10u);
}

TEST(PeerTable, LateJoinerGetsHalfFromItsWaveByItsSecondCallAndHalfFromEarlierOnes) {
  Crowd crowd;
  crowd.flash(40);
  const SteadyTime later = kStart + 60s;
  for (int n = 0; n < 40; ++n) crowd.call(call_of(n), n, later);
  for (int n = 40; n < 60; ++n) crowd.call(call_of(n), n, later + 1s);
  crowd.graph[60].clear();
  crowd.call(call_of(60), 60, later + 2s);
  const auto& given = crowd.graph[60];
  const auto own = [&] {
    return std::count_if(given.begin(), given.end(), [](int n) { return n >= 40; });
  };
  EXPECT_EQ(given.size(), 8u);
  EXPECT_EQ(own(), 3);
  crowd.call(call_of(60), 60, later + 3s);
  EXPECT_EQ(given.size(), 10u);
  EXPECT_EQ(own(), 5);
}

TEST(PeerTable, LoneLateJoinerGetsAllFromEarlierOnes) {
  Crowd crowd;
  crowd.flash(40);
  const SteadyTime later = kStart + 60s;
  for (int n = 0; n < 40; ++n) crowd.call(call_of(n), n, later);
  crowd.call(call_of(40), 40, later + 11s);
  EXPECT_EQ(crowd.graph[40].size(), 10u);
  EXPECT_EQ(crowd.told[40], 1s);
  crowd.call(call_of(40), 40, later + 12s);
  EXPECT_EQ(crowd.told[40], 30s);
}

TEST(PeerTable, OneThatComesBackEarlyGetsFreshPeers) {
  Crowd crowd;
  crowd.flash(40);
  const std::size_t before = crowd.graph[3].size();
  crowd.call(call_of(3), 3, kStart + 20s);
  crowd.call(call_of(3), 3, kStart + 25s);
  EXPECT_GE(crowd.graph[3].size(), before + 5);
}

TEST(PeerTable, CallsAtOnceForTheSameBlobDoNotGrowTheGraph) {
  Crowd crowd;
  crowd.flash(40);
  crowd.call(call_of(3), 3, kStart + 40s);
  const std::size_t before = crowd.graph[3].size();
  for (int i = 0; i < 20; ++i) crowd.call(call_of(3), 3, kStart + 40s + i * 10ms);
  EXPECT_EQ(crowd.graph[3].size(), before);
}

TEST(PeerTable, SeedsAreHandedOutButGetNobody) {
  Crowd crowd;
  crowd.flash(15);
  PeerCall done = call_of(0);
  done.seed = done.completed = true;
  EXPECT_TRUE(crowd.call(done, 0, kStart + 20s).peers.empty());
  done.completed = false;
  EXPECT_TRUE(crowd.call(done, 0, kStart + 21s).peers.empty());
  const SwarmCount count = crowd.table.count(kBlob);
  EXPECT_EQ(count.seeders, 1u);
  EXPECT_EQ(count.completed, 1u);
  EXPECT_EQ(count.leechers, 14u);
}

TEST(PeerTable, OriginGoesToTheFirstSixteenThenToARandomSixtyFourAndToSuccessors) {
  Crowd crowd;
  crowd.table.register_origin(kRegistry, {"10.9.9.9", 7000}, {}, kStart);
  for (int n = 0; n < 400; ++n) crowd.call(call_of(n), n, kStart);
  EXPECT_EQ(crowd.with_origin.size(), 16u);
  EXPECT_TRUE(crowd.with_origin.contains(15));
  for (int n = 0; n < 400; ++n) crowd.call(call_of(n), n, kStart + 1s);
  const auto late = std::count_if(crowd.with_origin.begin(), crowd.with_origin.end(),
                                  [](int n) { return n >= 200; });
  EXPECT_NEAR(static_cast<double>(crowd.with_origin.size()), 16 + 64, 25);
  EXPECT_NEAR(static_cast<double>(late), 32, 16);
  int without = 0;
  while (crowd.with_origin.contains(without)) ++without;
  int left = static_cast<int>(crowd.with_origin.size());
  for (const int n : crowd.with_origin) {
    if (left-- > 15) crowd.table.leave(kBlob, "node-" + std::to_string(n));
  }
  crowd.call(call_of(without), without, kStart + 20s);
  EXPECT_TRUE(crowd.with_origin.contains(without));
}

TEST(PeerTable, InASmallSwarmEverybodyIsHandedTheOriginByTheSecondCall) {
  Crowd crowd;
  crowd.table.register_origin(kRegistry, {"10.9.9.9", 7000}, {}, kStart);
  crowd.flash(64);
  EXPECT_EQ(crowd.with_origin.size(), 64u);
}

TEST(PeerTable, WhoCameFirstIsLinkedToLaterOnesToo) {
  Crowd crowd;
  crowd.flash(1000);
  for (int n = 0; n < 11; ++n) {
    const auto& others = crowd.graph[n];
    const auto far = std::count_if(others.begin(), others.end(), [](int o) { return o >= 100; });
    EXPECT_GE(far, 2) << "node " << n;
  }
}

TEST(PeerTable, OriginIsForgottenAfterThreeIntervals) {
  SeededRandom random{1};
  PeerTable table{PeerTableOptions{}, random};
  table.register_origin(kRegistry, {"10.9.9.9", 7000}, {}, kStart);
  EXPECT_TRUE(table.origin(kRegistry, kStart + 89s));
  EXPECT_FALSE(table.origin(kRegistry, kStart + 90s));
  EXPECT_FALSE(table.origin("other.test", kStart));
}

TEST(PeerTable, OriginOfAnotherRegistryIsNotHandedOut) {
  Crowd crowd;
  crowd.table.register_origin("other.test", {"10.9.9.9", 7000}, {}, kStart);
  crowd.call(call_of(0), 0, kStart);
  EXPECT_TRUE(crowd.with_origin.empty());
}

TEST(PeerTable, MembersAreForgottenThreeIntervalsAfterTheirLastCall) {
  Crowd crowd;
  crowd.call(call_of(0), 0, kStart);
  crowd.call(call_of(1), 1, kStart + 30s);
  crowd.table.expire(kStart + 89s);
  EXPECT_EQ(crowd.table.members(), 2u);
  crowd.table.expire(kStart + 90s);
  EXPECT_EQ(crowd.table.members(), 1u);
  EXPECT_TRUE(crowd.call(call_of(1), 1, kStart + 91s).peers.empty());
  crowd.table.expire(kStart + 300s);
  EXPECT_EQ(crowd.table.swarms(), 0u);
}

TEST(PeerTable, LeavingRemovesTheMember) {
  Crowd crowd;
  crowd.call(call_of(0), 0, kStart);
  crowd.table.leave(kBlob, "node-0");
  EXPECT_TRUE(crowd.call(call_of(1), 1, kStart).peers.empty());
}

TEST(PeerTable, NodeThatMovesIsHandedOutAtItsNewAddress) {
  Crowd crowd;
  crowd.call(call_of(0), 0, kStart);
  PeerCall moved = call_of(0);
  moved.address = {"10.7.7.7", 7777};
  crowd.call(moved, 0, kStart + 1s);
  const HandOut out = crowd.call(call_of(1), 1, kStart + 2s);
  ASSERT_EQ(out.peers.size(), 1u);
  EXPECT_EQ(out.peers[0].address, (bt::PeerEndpoint{"10.7.7.7", 7777}));
}

TEST(PeerTable, TwoDifferentReportersExcludeANode) {
  Crowd crowd;
  for (int n = 0; n < 5; ++n) crowd.call(call_of(n), n, kStart);
  EXPECT_FALSE(crowd.table.report(kBlob, "node-1", "node-0"));
  EXPECT_FALSE(crowd.table.report(kBlob, "node-1", "node-0"));
  EXPECT_FALSE(crowd.table.report(kBlob, "node-0", "node-0"));
  EXPECT_FALSE(crowd.table.report(kBlob, "a stranger", "node-0"));
  EXPECT_TRUE(crowd.table.report(kBlob, "node-2", "node-0"));
  crowd.graph.clear();
  crowd.call(call_of(5), 5, kStart + 1s);
  const HandOut fresh = crowd.call(call_of(5), 5, kStart + 2s);
  EXPECT_EQ(fresh.peers.size(), 4u);
  const HandOut again = crowd.call(call_of(3), 3, kStart + 2s);
  EXPECT_EQ(again.peers.size(), 4u);
  EXPECT_FALSE(crowd.graph[5].contains(0));
  EXPECT_FALSE(crowd.graph[3].contains(0));
}

TEST(PeerTable, ExcludedNodeStaysExcludedWhenItCallsAgain) {
  Crowd crowd;
  for (int n = 0; n < 4; ++n) crowd.call(call_of(n), n, kStart);
  crowd.table.report(kBlob, "node-1", "node-0");
  crowd.table.report(kBlob, "node-2", "node-0");
  EXPECT_EQ(crowd.call(call_of(0), 0, kStart + 1s).peers.size(), 3u);
  for (const auto& peer : crowd.call(call_of(1), 1, kStart + 2s).peers) {
    EXPECT_NE(peer.address, address_of(0));
  }
}

TEST(PeerTable, NumwantAndPortZeroLimitWhatIsGiven) {
  Crowd crowd;
  for (int n = 0; n < 9; ++n) crowd.call(call_of(n), n, kStart);
  PeerCall few = call_of(9);
  few.numwant = 3;
  EXPECT_EQ(crowd.call(few, 9, kStart).peers.size(), 3u);
  PeerCall asking = call_of(10);
  asking.address.port = 0;
  EXPECT_TRUE(crowd.call(asking, 10, kStart).peers.empty());
  EXPECT_EQ(crowd.table.members(), 10u);
}

TEST(PeerTable, SwarmLimitRefusesTheNextAndMemberLimitStillGivesPeers) {
  SeededRandom random{1};
  PeerTableOptions options;
  options.max_swarms = 1;
  options.policy.max_members = 2;
  PeerTable table{options, random};
  EXPECT_TRUE(table.call(kBlob, call_of(0), kStart).ok());
  EXPECT_TRUE(table.call(kBlob, call_of(1), kStart).ok());
  const auto third = table.call(kBlob, call_of(2), kStart);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->peers.size(), 2u);
  EXPECT_EQ(table.members(), 2u);
  const auto other = table.call(bt::InfoHash{2}, call_of(0), kStart);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), "tracker_full");
}

TEST(GrantTable, GrantEndsWithItsTimeAndTheLimitHolds) {
  GrantTable grants(1);
  GrantTable::Grant grant;
  grant.info_hash = kBlob;
  grant.until = kStart + 10s;
  ASSERT_TRUE(grants.add("a", grant, kStart).ok());
  EXPECT_TRUE(grants.find("a", short_hash(kBlob), kStart + 9s));
  EXPECT_FALSE(grants.find("a", short_hash(kBlob), kStart + 10s));
  EXPECT_FALSE(grants.find("b", short_hash(kBlob), kStart));
  EXPECT_FALSE(grants.find("a", short_hash(bt::InfoHash{2}), kStart));
  EXPECT_FALSE(grants.add("b", grant, kStart).ok());
  EXPECT_TRUE(grants.add("a", grant, kStart).ok());
  EXPECT_TRUE(grants.add("b", grant, kStart + 10s).ok());
}

}  // namespace
}  // namespace convoy::tracker
