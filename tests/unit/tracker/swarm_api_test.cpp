#include <gtest/gtest.h>

#include "support/tracker_world.hpp"
#include "tracker/peers/grant_table.hpp"
#include "wire/bt/announce.hpp"
#include "wire/bt/bencode.hpp"

namespace convoy::tracker {
namespace {

using test::TestNode;
using test::TrackerWorld;
using namespace std::chrono_literals;

class SwarmApi : public testing::Test {
 protected:
  SwarmApi() {
    world_.registry.blobs["team/app"] = {world_.digest('a')};
    world_.start();
  }

  bt::AnnounceRequest announce(std::uint16_t port = 6881, std::uint64_t left = 10) const {
    bt::AnnounceRequest out;
    out.info_hash = short_hash(world_.info_hash(world_.digest()));
    out.port = port;
    out.left = left;
    return out;
  }
  Result<bt::AnnounceReply> say(clients::TrackerClient& client, bt::AnnounceRequest request) {
    return world_.loop.run(client.announce(request, world_.soon()));
  }
  clients::TrackerClient& joined(const std::string& name, const std::string& ip) {
    auto& client = world_.as(world_.cluster.node(name), ip);
    EXPECT_TRUE(world_.ticket(client, world_.wish()).ok());
    return client;
  }
  clients::TicketRequest seed_wish() {
    auto request = world_.wish("team/app", 7777);
    request.repository.reset();
    request.authorization.reset();
    request.act = {"seed"};
    return request;
  }
  Status report(clients::TrackerClient& client, const std::string& name) {
    const clients::PeerReport what{to_hex(world_.info_hash(world_.digest())),
                                   "spiffe://example.org/cluster/c1/node/" + name, "corrupt_piece",
                                   3, 1};
    return world_.loop.run(client.report(what, world_.soon()));
  }
  static std::string code(const Status& status) {
    return status.ok() ? "ok" : status.error().code();
  }

  TrackerWorld world_;
};

TEST_F(SwarmApi, AnnounceNeedsALivingGrant) {
  auto& client = world_.as(world_.cluster.node("n1"));
  auto refused = say(client, announce());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().detail(), "grant_missing");
  ASSERT_TRUE(world_.ticket(client, world_.wish()).ok());
  EXPECT_TRUE(say(client, announce()).ok());
  auto& other = world_.as(world_.cluster.node("n2"));
  EXPECT_FALSE(say(other, announce()).ok()) << "the grant is the node's own";
  world_.clock.advance(601s);
  EXPECT_FALSE(say(client, announce()).ok());
  EXPECT_EQ(world_.audit.count("announce.refuse", "grant_missing"), 3u);
}

TEST_F(SwarmApi, AnnounceIgnoresTheClaimedAddress) {
  const TestNode node = world_.cluster.node("n1");
  auto& first = world_.as(node, "127.0.0.3");
  ASSERT_TRUE(world_.ticket(first, world_.wish()).ok());
  const auto raw = world_.http(node.pem, "127.0.0.3");
  const std::string query = bt::to_query(announce(7001)) + "&ip=10.66.66.66&ipv4=10.66.66.66";
  EXPECT_EQ(world_.raw(raw, "GET", "/announce?" + query).status, 200);
  auto& second = joined("n2", "127.0.0.2");
  const auto reply = say(second, announce());
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->peers.size(), 1u);
  EXPECT_EQ(reply->peers[0], (bt::PeerEndpoint{"127.0.0.3", 7001}));
  EXPECT_EQ(reply->leechers, 2u);
}

TEST_F(SwarmApi, StoppedRemovesAndCompletedCounts) {
  auto& first = joined("n1", "127.0.0.1");
  auto& second = joined("n2", "127.0.0.2");
  auto done = announce(6881, 0);
  done.event = bt::AnnounceEvent::completed;
  const auto reply = say(first, done);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->peers.empty()) << "a seed asks for nobody";
  EXPECT_EQ(reply->seeders, 1u);
  auto bye = announce();
  bye.event = bt::AnnounceEvent::stopped;
  EXPECT_TRUE(say(first, bye).ok());
  EXPECT_TRUE(say(second, announce())->peers.empty());
}

TEST_F(SwarmApi, MalformedAnnounceIsAFailureReason) {
  const auto client = world_.http(world_.cluster.node("n1").pem);
  for (const char* target : {"/announce", "/announce?info_hash=short&port=1", "/scrape"}) {
    const auto answer = world_.raw(client, "GET", target);
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_TRUE(answer.body.starts_with("d14:failure reason")) << answer.body;
  }
}

TEST_F(SwarmApi, ScrapeNeedsAGrantToo) {
  const TestNode node = world_.cluster.node("n1");
  const auto raw = world_.http(node.pem);
  std::string target = "/scrape?info_hash=";
  for (const auto byte : short_hash(world_.info_hash(world_.digest()))) {
    const std::uint8_t one[] = {byte};
    target += "%" + to_hex(one);
  }
  EXPECT_TRUE(world_.raw(raw, "GET", target).body.starts_with("d14:failure reason"));
  auto& client = world_.as(node);
  ASSERT_TRUE(world_.ticket(client, world_.wish()).ok());
  const auto answer = world_.raw(raw, "GET", target);
  EXPECT_TRUE(answer.body.starts_with("d5:filesd20:")) << answer.body;
  EXPECT_NE(answer.body.find("10:incompletei1e"), std::string::npos);
}

TEST_F(SwarmApi, OriginRegistersAndIsHandedOut) {
  auto& origin = world_.as(world_.cluster.origin(), "127.0.0.9");
  const clients::OriginRegistration where{std::string(TrackerWorld::kHost), 7777, "rid-00000002"};
  const auto interval = world_.loop.run(origin.register_origin(where, world_.soon()));
  ASSERT_TRUE(interval.ok()) << interval.error().text();
  EXPECT_EQ(*interval, 30s);
  ASSERT_TRUE(world_.loop.run(origin.register_origin(where, world_.soon())).ok());
  EXPECT_EQ(world_.audit.count("origin.grant"), 1u) << "a repetition is no news";
  auto& node = world_.as(world_.cluster.node("n1"));
  const auto reply = world_.ticket(node, world_.wish());
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->peers.size(), 1u);
  EXPECT_TRUE(reply->peers[0].origin);
  EXPECT_EQ(reply->peers[0].address, (bt::PeerEndpoint{"127.0.0.9", 7777}));
}

TEST_F(SwarmApi, OnlyTheConfiguredOriginRegisters) {
  const clients::OriginRegistration where{std::string(TrackerWorld::kHost), 7777, "rid-00000002"};
  const auto code = [&](const TestNode& node, clients::OriginRegistration what) {
    const auto got = world_.loop.run(world_.as(node).register_origin(what, world_.soon()));
    return got.ok() ? std::string("ok") : got.error().code();
  };
  EXPECT_EQ(code(world_.cluster.node("origin"), where), "origin_only");
  EXPECT_EQ(code(world_.cluster.origin("another"), where), "origin_wrong_registry");
  const clients::OriginRegistration elsewhere{"other.test", 7777, "rid-00000002"};
  EXPECT_EQ(code(world_.cluster.origin(), elsewhere), "registry_unknown");
  EXPECT_EQ(code(world_.cluster.origin(), where), "ok");
}

TEST_F(SwarmApi, OriginSeedsWhatNodesAskedForAndNeverLeeches) {
  auto& origin = world_.as(world_.cluster.origin());
  const auto code = [&](clients::TicketRequest request) {
    const auto reply = world_.ticket(origin, std::move(request));
    return reply.ok() ? std::string("ok") : reply.error().code();
  };
  EXPECT_EQ(code(seed_wish()), "blob_unknown") << "nobody has asked for it yet";
  joined("n1", "127.0.0.1");
  EXPECT_EQ(code(seed_wish()), "ok");
  for (const std::vector<std::string>& act :
       {std::vector<std::string>{"leech"}, std::vector<std::string>{"leech", "seed"}}) {
    auto greedy = seed_wish();
    greedy.act = act;
    EXPECT_EQ(code(greedy), "origin_cannot_leech");
  }
  EXPECT_EQ(code(world_.wish()), "origin_cannot_leech");
  auto named = seed_wish();
  named.repository = oci::RepoName::parse("team/app").value();
  EXPECT_EQ(code(named), "body_invalid");
  const auto reply = world_.ticket(origin, seed_wish());
  EXPECT_TRUE(reply->peers.empty()) << "who pulls is none of its business";
}

TEST_F(SwarmApi, NodeMustNameARepositoryEvenToSeed) {
  auto& node = world_.as(world_.cluster.node("n1"));
  const auto reply = world_.ticket(node, seed_wish());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), "body_invalid");
}

TEST_F(SwarmApi, TwoReportersEndTheHandingOutOfANode) {
  joined("bad", "127.0.0.1");
  auto& first = joined("n1", "127.0.0.2");
  auto& second = joined("n2", "127.0.0.3");
  EXPECT_EQ(code(report(first, "bad")), "ok");
  EXPECT_EQ(code(report(first, "bad")), "ok");
  EXPECT_EQ(say(second, announce())->peers.size(), 2u) << "one node alone is not enough";
  EXPECT_EQ(code(report(second, "bad")), "ok");
  for (auto* client : {&first, &second}) {
    const auto reply = say(*client, announce());
    ASSERT_TRUE(reply.ok());
    for (const auto& peer : reply->peers) EXPECT_NE(peer.ip, "127.0.0.1");
  }
  EXPECT_EQ(world_.audit.count("report.accept"), 3u);
}

TEST_F(SwarmApi, ReportNeedsAGrant) {
  joined("n1", "127.0.0.1");
  auto& outsider = world_.as(world_.cluster.node("n2"));
  EXPECT_EQ(code(report(outsider, "n1")), "grant_missing");
  EXPECT_EQ(world_.audit.count("report.refuse", "grant_missing"), 1u);
}

}  // namespace
}  // namespace convoy::tracker
