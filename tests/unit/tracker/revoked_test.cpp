#include <fstream>
#include <gtest/gtest.h>

#include "security/ca/revoked_nodes.hpp"
#include "support/tracker_world.hpp"
#include "tracker/api/router.hpp"

namespace convoy::tracker {
namespace {

using namespace std::chrono_literals;
using security::NodeKind;

class Revoked : public testing::Test {
 protected:
  Revoked() { start(); }
  void start() {
    auto options = world_.options();
    options.sweep = 10ms;
    world_.start(std::move(options));
  }
  /// Whether a call with the client's certificate comes to be refused, or taken again.
  bool comes_to(const std::shared_ptr<net::HttpClient>& client, int status) {
    for (int i = 0; i < 1000; ++i) {
      if (world_.raw(client, "GET", "/v1/hello").status == status) return true;
      world_.loop.run(pause());
    }
    return false;
  }
  static net::Task<void> pause() { co_await net::sleep_for(5ms); }
  std::string enrol(Secret token) {
    clients::EnrolRequest request{std::move(token), "n1", crypto::make_csr(key_, "x"), {}};
    const auto got = world_.loop.run(world_.stranger().enrol(std::move(request), world_.soon()));
    return got.ok() ? "ok" : got.error().code();
  }
  Secret token() {
    return security::create_join_token(world_.tokens, {}, world_.clock.wall(), world_.random)
        .value();
  }

  test::TrackerWorld world_;
  security::RevokedNodes nodes_{world_.dir / "join.json"};
  crypto::PrivateKey key_ = crypto::PrivateKey::generate();
};

TEST_F(Revoked, NodeIsRefusedOnEveryRoute) {
  const auto thief = world_.http(world_.cluster.node("n1").pem);
  EXPECT_EQ(world_.raw(thief, "GET", "/v1/hello").status, 200);
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  ASSERT_TRUE(comes_to(thief, 403));
  for (const Route& route : routes()) {
    if (route.access == Access::anybody) continue;
    const auto answer = world_.raw(thief, std::string(route.method), std::string(route.path), "{}");
    EXPECT_EQ(answer.status, route.bencoded ? 200 : 403) << route.path;
    EXPECT_NE(answer.body.find("node_revoked"), std::string::npos) << route.path;
  }
  EXPECT_EQ(world_.audit.count("renew.refuse", "node_revoked"), 1u);
  EXPECT_EQ(world_.audit.count("ticket.refuse", "node_revoked"), 1u);
  EXPECT_EQ(world_.audit.events().back().node, "spiffe://example.org/cluster/c1/node/n1");
}

TEST_F(Revoked, OthersAreNot) {
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  ASSERT_TRUE(comes_to(world_.http(world_.cluster.node("n1").pem), 403));
  for (const auto& other :
       {world_.cluster.node("n2"), world_.cluster.node("n1", NodeKind::origin)}) {
    EXPECT_EQ(world_.raw(world_.http(other.pem), "GET", "/v1/hello").status, 200);
  }
}

TEST_F(Revoked, NameCannotEnrolAgain) {
  const Secret used = token();
  EXPECT_EQ(enrol(used), "ok");
  const Secret fresh = token();
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  EXPECT_EQ(enrol(used), "node_revoked") << "as if its answer had been lost";
  EXPECT_EQ(enrol(fresh), "node_revoked");
  EXPECT_EQ(world_.audit.count("enrol.refuse", "node_revoked"), 2u);
  EXPECT_TRUE(security::find_join_token(world_.tokens, fresh, {}, world_.clock.wall()).ok());
}

TEST_F(Revoked, StaysSoAfterARestart) {
  const auto thief = world_.http(world_.cluster.node("n1").pem);
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  world_.loop.run(world_.service->stop(Duration::zero()));
  world_.service.reset();
  start();
  EXPECT_EQ(world_.raw(thief, "GET", "/v1/hello").status, 403);
}

TEST_F(Revoked, IsTakenBack) {
  const auto node = world_.http(world_.cluster.node("n1").pem);
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  ASSERT_TRUE(comes_to(node, 403));
  ASSERT_TRUE(nodes_.remove(NodeKind::node, "n1"));
  EXPECT_TRUE(comes_to(node, 200));
}

TEST_F(Revoked, StaysSoWhenTheFileIsDamaged) {
  const auto thief = world_.http(world_.cluster.node("n1").pem);
  ASSERT_TRUE(nodes_.add(NodeKind::node, "n1"));
  ASSERT_TRUE(comes_to(thief, 403));
  std::ofstream(world_.dir / "join.json.revoked") << "{";
  world_.loop.run(net::sleep_for(200ms));
  EXPECT_EQ(world_.raw(thief, "GET", "/v1/hello").status, 403);
  EXPECT_EQ(enrol(token()), "revoked_nodes") << "nobody knows whether it may";
  const auto restarted = world_.make(world_.options());
  ASSERT_FALSE(restarted.ok());
  EXPECT_EQ(restarted.error().code(), "tracker_join_token_file_invalid");
}

}  // namespace
}  // namespace convoy::tracker
