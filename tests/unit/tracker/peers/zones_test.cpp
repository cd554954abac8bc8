#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "tracker/peers/peer_table.hpp"

namespace convoy::tracker {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{std::chrono::hours(1)};
const bt::InfoHash kBlob{1};
const std::string kRegistry = "registry.test:5000";
const bt::PeerEndpoint kOrigin{"origin", 7000};

/// Nodes of zones that call as they are told to; `zone_of` decides by the node's number.
struct ZonedCrowd {
  SeededRandom random{7};
  PeerTable table{PeerTableOptions{}, random};
  std::map<int, std::string> zones;
  std::map<int, std::set<int>> graph;
  std::map<int, std::chrono::seconds> told;
  std::map<int, std::pair<std::uint32_t, std::uint32_t>> places;
  std::set<int> with_origin;

  HandOut call(int n, const std::string& zone, SteadyTime now) {
    zones[n] = zone;
    PeerCall call;
    call.node = "node-" + std::to_string(n);
    call.address = {std::to_string(n), 6881};
    call.registry = kRegistry;
    call.zone = zone;
    auto out = table.call(kBlob, std::move(call), now);
    EXPECT_TRUE(out.ok());
    told[n] = out->interval;
    places[n] = {out->zone_index, out->zone_count};
    for (const auto& peer : out->peers) {
      if (peer.origin) {
        with_origin.insert(n);
        continue;
      }
      const int other = std::stoi(peer.address.ip);
      graph[n].insert(other);
      graph[other].insert(n);
    }
    return std::move(*out);
  }

  void flash(int nodes, const std::vector<std::string>& names, SteadyTime from = kStart,
             int first = 0) {
    const auto zone = [&](int n) { return names[static_cast<std::size_t>(n) % names.size()]; };
    for (int n = first; n < nodes; ++n) call(n, zone(n), from + (n - first) * 1000ms / nodes);
    for (int round = 1; round <= 12; ++round) {
      for (int n = first; n < nodes; ++n) {
        const auto due = from + round * 1s + (n - first) * 1000ms / nodes;
        if (told[n] == 1s) call(n, zone(n), due);
      }
    }
  }

  std::size_t links(int n, bool across) const {
    const auto& others = graph.at(n);
    return static_cast<std::size_t>(std::count_if(others.begin(), others.end(), [&](int o) {
      return (zones.at(o) != zones.at(n)) == across;
    }));
  }
};

class TwoZones : public testing::TestWithParam<int> {};

TEST_P(TwoZones, RegularWithinAndAboutTwoLinksAcross) {
  const int nodes = GetParam();
  ZonedCrowd crowd;
  crowd.flash(nodes, {"a", "b"});
  double across = 0;
  for (int n = 0; n < nodes; ++n) {
    EXPECT_GE(crowd.links(n, false), std::min(10U, static_cast<unsigned>(nodes) / 2 - 1))
        << "node " << n;
    EXPECT_LE(crowd.links(n, false), 20U) << "node " << n;
    EXPECT_GE(crowd.links(n, true), 2U) << "node " << n;
    EXPECT_LE(crowd.links(n, true), 8U) << "node " << n;
    across += static_cast<double>(crowd.links(n, true));
    EXPECT_EQ(crowd.told[n], 30s);
  }
  EXPECT_LE(across / nodes, 4) << "two that each wants, and two of others";
}

INSTANTIATE_TEST_SUITE_P(Sizes, TwoZones, testing::Values(24, 32, 100, 400));

TEST(Zones, PlacesAreTheNumbersBelowTheCountOncePerZone) {
  ZonedCrowd crowd;
  crowd.flash(40, {"a", "b", "a", ""});
  std::map<std::string, std::set<std::uint32_t>> taken;
  for (const auto& [n, place] : crowd.places) {
    EXPECT_TRUE(taken[crowd.zones[n]].insert(place.first).second);
    EXPECT_EQ(place.second, crowd.zones[n] == "a" ? 20U : 10U);
    EXPECT_LT(place.first, place.second);
  }
}

TEST(Zones, TheLastOneTakesThePlaceOfOneThatLeaves) {
  ZonedCrowd crowd;
  crowd.flash(8, {"a"});
  crowd.table.leave(kBlob, "node-2");
  std::set<std::uint32_t> taken;
  for (const int n : {0, 1, 3, 4, 5, 6, 7}) {
    crowd.call(n, "a", kStart + 40s);
    EXPECT_EQ(crowd.places[n].second, 7U);
    taken.insert(crowd.places[n].first);
  }
  EXPECT_EQ(taken.size(), 7U);
  EXPECT_LT(*taken.rbegin(), 7U);
}

TEST(Zones, NodesCallAgainSoonUntilTheirZoneGrowsNoMore) {
  ZonedCrowd crowd;
  crowd.call(0, "a", kStart);
  crowd.call(1, "b", kStart);
  for (const int n : {0, 1}) {
    EXPECT_EQ(crowd.told[n], 1s);
    crowd.call(n, n == 0 ? "a" : "b", kStart + 1s);
    EXPECT_EQ(crowd.told[n], 30s);
  }
  crowd.call(2, "b", kStart + 2s);
  crowd.call(0, "a", kStart + 2s);
  EXPECT_EQ(crowd.told[0], 30s);
  crowd.call(1, "b", kStart + 2s);
  EXPECT_EQ(crowd.told[1], 1s);
}

TEST(Zones, ANodeAloneInItsZoneHasAsManyPeersAsOthers) {
  ZonedCrowd crowd;
  crowd.flash(30, {"a"});
  crowd.call(30, "b", kStart + 40s);
  EXPECT_EQ(crowd.links(30, true), 2U) << "others of its zone may come the next moment";
  crowd.call(30, "b", kStart + 41s);
  EXPECT_EQ(crowd.links(30, true), 10U);
  EXPECT_EQ(crowd.places[30], std::pair(0U, 1U));
}

TEST(Zones, SmallSwarmsStayComplete) {
  ZonedCrowd crowd;
  crowd.flash(11, {"a", "b", "c"});
  for (const auto& [n, others] : crowd.graph) EXPECT_EQ(others.size(), 10U);
}

TEST(Zones, LateJoinersGetThreeOfTheirWaveAndFiveEarlierOnesOfTheirZone) {
  ZonedCrowd crowd;
  crowd.flash(80, {"a", "b"});
  const SteadyTime later = kStart + 60s;
  for (int n = 0; n < 80; ++n) crowd.call(n, n % 2 == 0 ? "a" : "b", later);
  for (int n = 80; n < 120; ++n) crowd.call(n, n % 2 == 0 ? "a" : "b", later + 1s);
  const HandOut out = crowd.call(120, "a", later + 2s);
  int own = 0, earlier = 0;
  for (const auto& p : out.peers) {
    const int n = std::stoi(p.address.ip);
    if (crowd.zones[n] != "a") continue;
    ++(n >= 80 ? own : earlier);
  }
  EXPECT_EQ(own, 3);
  EXPECT_EQ(earlier, 5);
}

TEST(Zones, TheOriginGoesToItsOwnZoneAlone) {
  ZonedCrowd crowd;
  crowd.table.register_origin(kRegistry, kOrigin, "a", kStart);
  for (int n = 0; n < 4; ++n) crowd.call(n, "a", kStart);
  crowd.flash(40, {"a", "b"}, kStart + 1s, 4);
  for (int n = 4; n < 40; ++n) {
    EXPECT_EQ(crowd.with_origin.contains(n), n % 2 == 0) << "node " << n;
  }
}

TEST(Zones, TheOriginGoesToOthersWhileItsOwnZoneHasFew) {
  for (const std::string origin_zone : {"a", "elsewhere", ""}) {
    ZonedCrowd crowd;
    crowd.table.register_origin(kRegistry, kOrigin, origin_zone, kStart);
    for (int n = 0; n < 3; ++n) crowd.call(n, "a", kStart);
    crowd.call(3, "b", kStart);
    EXPECT_TRUE(crowd.with_origin.contains(3)) << origin_zone;
  }
  ZonedCrowd crowd;
  crowd.table.register_origin(kRegistry, kOrigin, "a", kStart);
  for (int n = 0; n < 4; ++n) crowd.call(n, "a", kStart);
  crowd.call(4, "b", kStart);
  EXPECT_FALSE(crowd.with_origin.contains(4));
}

TEST(Zones, OneThatComesBackWhileNobodyIsCompleteGetsTheOriginAllTheSame) {
  ZonedCrowd crowd;
  crowd.table.register_origin(kRegistry, kOrigin, "a", kStart);
  for (int n = 0; n < 6; ++n) crowd.call(n, "a", kStart);
  for (int i = 0; i < 8; ++i) {
    crowd.table.register_origin(kRegistry, kOrigin, "a", kStart + i * 30s);
    for (int n = 0; n < 6; ++n) crowd.call(n, "a", kStart + i * 30s);
    crowd.call(6, "b", kStart + i * 30s);
  }
  EXPECT_TRUE(crowd.with_origin.contains(6));
}

TEST(Zones, OneThatMovesGetsLinksAndAPlaceInItsNewZone) {
  ZonedCrowd crowd;
  crowd.flash(40, {"a", "b"});
  crowd.graph.clear();
  crowd.call(0, "b", kStart + 40s);
  EXPECT_EQ(crowd.places[0], std::pair(20U, 21U));
  EXPECT_GE(crowd.links(0, false), 10U);
  EXPECT_LE(crowd.links(0, true), 2U);
  crowd.call(2, "a", kStart + 41s);
  EXPECT_EQ(crowd.places[2].second, 19U);
}

TEST(Zones, NamesOfZonesThatAllHaveLeftDoNotPileUp) {
  ZonedCrowd crowd;
  for (int i = 0; i < 5000; ++i) crowd.call(0, "zone-" + std::to_string(i), kStart + i * 10ms);
  EXPECT_EQ(crowd.places[0], std::pair(0U, 1U));
  EXPECT_EQ(crowd.table.members(), 1U);
}

}  // namespace
}  // namespace convoy::tracker
