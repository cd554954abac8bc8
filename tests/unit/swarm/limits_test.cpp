#include <gtest/gtest.h>

#include "support/swarm_raw_peer.hpp"

// Limits between real engines: rates, and what a peer may demand.
namespace convoy {
namespace {

using namespace std::chrono_literals;
using test::MemoryPieces;
using test::TestBlob;
using test::TestPeer;
using Now = std::chrono::steady_clock;

class EngineLimits : public testing::Test {
 protected:
  TestPeer& node(const std::string& name,
                 const std::function<void(swarm::EngineOptions&)>& tune = nullptr) {
    return *peers.emplace_back(
        std::make_unique<TestPeer>(loop, cluster, clock, cluster.node(name), nullptr, 5s, tune));
  }
  std::shared_ptr<swarm::Torrent> leech(TestPeer& at, const TestBlob& blob, TestPeer& from) {
    const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
    return at.engine->add(at.spec(blob, io, {from.address()})).value();
  }
  Duration until_complete(const std::vector<std::shared_ptr<swarm::Torrent>>& torrents) {
    const auto start = Now::now();
    for (const auto& t : torrents) EXPECT_TRUE(loop.run(test::wait_complete(t, 60s), 120s));
    return Now::now() - start;
  }
  ~EngineLimits() override { peers.clear(); }

  SystemClock clock;
  test::TestCluster cluster{clock};
  test::Loop loop;
  std::vector<std::unique_ptr<TestPeer>> peers;
};

TEST_F(EngineLimits, ADownloadKeepsTheNodesRateUntilItIsChanged) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(8 << 20, 1));
  const auto rate = std::make_shared<TokenBucket>(1 << 20);
  auto& seeder = node("a");
  auto& leecher = node("b", [&](swarm::EngineOptions& o) { o.download = rate; });
  seeder.seed(blob);
  const auto t = leech(leecher, blob, seeder);
  loop.run(net::sleep_for(2s));
  const auto slow = t->stats().from_peers;
  EXPECT_LE(slow, 3U << 20);
  EXPECT_GE(slow, 512U << 10);
  rate->set_rate(0, clock.steady());
  leecher.engine->rates_changed({});
  EXPECT_LT(until_complete({t}), 4s) << "six seconds were left at the old rate";
}

TEST_F(EngineLimits, EachPeerGetsItsShareUntilItIsChanged) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(8 << 20, 2));
  auto& seeder = node("a", [&](swarm::EngineOptions& o) { o.shares.each_peer = 1 << 20; });
  const auto seed = seeder.seed(blob);
  const auto b = leech(node("b"), blob, seeder), c = leech(node("c"), blob, seeder);
  loop.run(net::sleep_for(2s));
  for (const auto& t : {b, c}) {
    EXPECT_LE(t->stats().from_peers, 3U << 20);
    EXPECT_GE(t->stats().from_peers, 512U << 10);
  }
  seeder.engine->rates_changed({});
  EXPECT_LT(until_complete({b, c}), 4s);
}

TEST_F(EngineLimits, TicketsWithoutEndEndAConnectionButTheSameOneCostsNothing) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(64 << 10, 3));
  auto& seeder = node("a");
  seeder.seed(blob);
  const auto other = cluster.node("b");
  const auto ticket = [&] { return cluster.ticket(other, blob.meta.digest, blob.info_hash); };
  const auto talk = [&](const std::string& first, const std::vector<std::string>& more) {
    std::vector<bt::Message> all{bt::HaveNone{}, bt::Interested{}};
    for (const std::string& t : more) all.emplace_back(bt::Extended{1, as_bytes(t)});
    all.emplace_back(bt::RequestBlock{{0, 0, bt::kBlockSize}});
    test::RawOptions o;
    o.identity = net::TlsIdentity{other.pem.chain_pem, other.pem.key_pem};
    o.roots_pem = cluster.root.pem();
    o.sni = bt::short_hex(blob.info_hash);
    o.bytes = test::greeting(blob.info_hash, first);
    o.later = test::encoded(all);
    o.stop_at = bt::kBlockSize;
    return loop.run(test::RawPeer::talk(loop.executor(), seeder.engine->local().port, o)).payload;
  };
  const std::string first = ticket();
  EXPECT_EQ(talk(first, std::vector<std::string>(64, first)), bt::kBlockSize);
  std::vector<std::string> fresh;
  for (int i = 0; i < 64; ++i) fresh.push_back(ticket());
  EXPECT_EQ(talk(first, {fresh.begin(), fresh.begin() + 16}), bt::kBlockSize);
  EXPECT_EQ(seeder.audit.count("peer.refuse"), 0U);
  EXPECT_EQ(talk(first, fresh), 0U);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "peer_violation"), 1U);
}

}  // namespace
}  // namespace convoy
