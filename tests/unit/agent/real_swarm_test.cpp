#include <gtest/gtest.h>

#include "support/agent_world.hpp"
#include "support/swarm_world.hpp"

namespace convoy {
namespace {

/// The agent with the real engine, and peers of the same cluster that run it, too.
class RealSwarm : public ::testing::Test {
 protected:
  RealSwarm() {
    world.real_engine = true;
    world.options.peer_listen = {"127.0.0.1", 0};
    world.options.swarm_stall = std::chrono::seconds(3);
    const auto digest = world.blob(3 * 1024 * 1024 + 11);
    blob = test::TestBlob::make(world.cluster, world.content);
    EXPECT_EQ(blob->meta.digest, digest);
    world.tracker->on_ticket = [this](const clients::TicketRequest& request) {
      return grant(request);
    };
  }

  Result<clients::TicketReply> grant(const clients::TicketRequest& request) {
    auto reply = world.grant(request);
    const auto id = security::SpiffeId::parse("spiffe://example.org/cluster/c1/node/node-1");
    const test::TestNode node{*id, crypto::PrivateKey::generate(), *world.certificate, {}};
    reply->ticket = world.cluster.ticket(node, request.digest, blob->info_hash);
    reply->peers.clear();
    for (const auto& peer : peers) reply->peers.push_back({peer.address, peer.origin});
    return reply;
  }

  test::AgentWorld world;
  std::optional<test::TestBlob> blob;
  std::vector<swarm::SwarmPeer> peers;
};

TEST_F(RealSwarm, BlobComesFromTheOriginAndGoesOnToAPeer) {
  test::TestPeer origin(world.loop, world.cluster, world.clock, world.cluster.origin());
  origin.seed(*blob, true);
  peers.push_back(origin.address(true));
  world.start();
  const auto got = world.get(world.blob_request(blob->meta.digest));
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == world.text());
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"origin\":" + std::to_string(world.content.size())), std::string::npos)
      << status;
  origin.stop();

  test::TestPeer next(world.loop, world.cluster, world.clock, world.cluster.node("node-2"));
  const auto at = world.agent->peer_endpoint();
  auto pieces = std::make_shared<test::MemoryPieces>(blob->meta.size);
  auto torrent = next.engine->add(next.spec(*blob, pieces, {{{at.ip, at.port}, false}})).value();
  EXPECT_TRUE(world.until([&] { return torrent->stats().complete; }));
  EXPECT_TRUE(pieces->bytes == blob->bytes);
  torrent.reset();
  next.stop();
}

TEST_F(RealSwarm, AfterARestartACachedBlobIsSeededAgain) {
  test::TestPeer origin(world.loop, world.cluster, world.clock, world.cluster.origin());
  origin.seed(*blob, true);
  peers.push_back(origin.address(true));
  world.start();
  EXPECT_EQ(world.get(world.blob_request(blob->meta.digest)).status, 200);
  origin.stop();
  peers.clear();
  world.stop();
  world.start();
  EXPECT_EQ(world.get(world.blob_request(blob->meta.digest)).status, 200);
  test::TestPeer next(world.loop, world.cluster, world.clock, world.cluster.node("node-2"));
  const auto at = world.agent->peer_endpoint();
  auto pieces = std::make_shared<test::MemoryPieces>(blob->meta.size);
  auto torrent = next.engine->add(next.spec(*blob, pieces, {{{at.ip, at.port}, false}})).value();
  EXPECT_TRUE(world.until([&] { return torrent->stats().complete; }));
  torrent.reset();
  next.stop();
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
}

TEST_F(RealSwarm, WhenTheDiskIsFullPullsGoOn) {
  test::TestPeer origin(world.loop, world.cluster, world.clock, world.cluster.origin());
  origin.seed(*blob, true);
  peers.push_back(origin.address(true));
  world.options.swarm_stall = std::chrono::milliseconds(300);
  world.disk_room = 1024 * 1024;
  world.start();
  EXPECT_TRUE(world.get(world.blob_request(blob->meta.digest)).cut);
  EXPECT_TRUE(world.until([&] { return !world.has_partial(); }));
  const auto got = world.get(world.blob_request(blob->meta.digest));
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == world.text());
  origin.stop();
}

TEST_F(RealSwarm, OriginThatIsGoneMeansTheRegistry) {
  peers.push_back({{"127.0.0.1", 1}, true});
  world.options.swarm_stall = std::chrono::milliseconds(300);
  world.start();
  const auto got = world.get(world.blob_request(blob->meta.digest));
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == world.text());
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 1U);
}

TEST_F(RealSwarm, OriginThatDiesHalfwayMeansTheRegistryForTheRest) {
  auto slow = std::make_shared<net::RateLimiter>(world.loop.executor(), 2'000'000);
  test::TestPeer origin(world.loop, world.cluster, world.clock, world.cluster.origin(), slow);
  origin.seed(*blob, true);
  peers.push_back(origin.address(true));
  world.options.swarm_stall = std::chrono::milliseconds(500);
  world.start();
  const auto got = world.begin(world.blob_request(blob->meta.digest));
  world.pump(std::chrono::milliseconds(400));
  origin.stop();
  ASSERT_TRUE(world.until([&] { return got->has_value(); }));
  EXPECT_EQ((*got)->status, 200);
  EXPECT_TRUE((*got)->body == world.text());
  EXPECT_LE(world.registry.count("GET", "/blobs/"), 2U);
}

}  // namespace
}  // namespace convoy
