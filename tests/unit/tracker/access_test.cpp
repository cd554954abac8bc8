#include <gtest/gtest.h>

#include "support/net_drip.hpp"
#include "support/net_http.hpp"
#include "support/tracker_world.hpp"
#include "tracker/api/router.hpp"

namespace convoy::tracker {
namespace {

using test::ShiftedClock;
using test::TestCluster;
using test::TrackerWorld;
using namespace std::chrono_literals;

TEST(TrackerAccess, EveryRouteButEnrolmentDemandsACertificate) {
  TrackerWorld world;
  world.start();
  const auto nobody = world.http({});
  for (const Route& route : routes()) {
    const auto answer = world.raw(nobody, std::string(route.method), std::string(route.path), "{}");
    if (route.path == "/v1/enrol") {
      EXPECT_EQ(answer.status, 400) << "its body is what it asks for";
    } else {
      EXPECT_EQ(answer.status, 401) << route.path;
      EXPECT_NE(answer.body.find("certificate_required"), std::string::npos);
    }
  }
  EXPECT_EQ(world.audit.count("ticket.refuse", "certificate_required"), 1u);
  EXPECT_EQ(world.audit.count("announce.refuse", "certificate_required"), 1u);
}

TEST(TrackerAccess, AMembersHelloLeavesNoTrace) {
  TrackerWorld world;
  world.start();
  const auto answer = world.raw(world.http(world.cluster.node("n1").pem), "GET", "/v1/hello", "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{}");
  EXPECT_EQ(world.audit.count("hello.grant"), 0u);
}

TEST(TrackerAccess, AnotherTrackersCertificateIsNoNode) {
  TrackerWorld world;
  world.start();
  const auto tracker = world.http(world.cluster.pki.tracker);
  for (const Route& route : routes()) {
    if (route.access == Access::anybody) continue;
    const auto answer =
        world.raw(tracker, std::string(route.method), std::string(route.path), "{}");
    EXPECT_EQ(answer.status, 403) << route.path;
    EXPECT_NE(answer.body.find("identity_wrong_kind"), std::string::npos);
  }
}

TEST(TrackerAccess, CertificateOfAnotherClusterEndsTheHandshake) {
  TrackerWorld world;
  world.start();
  TestCluster foreign(world.clock);
  const auto answer = world.raw(world.http(foreign.node("n1").pem), "POST", "/v1/renew", "{}");
  EXPECT_EQ(answer.status, 0) << answer.body;
}

TEST(TrackerAccess, CertificateUnderTheRootButOfAnotherClusterIsRefused) {
  TrackerWorld world;
  auto options = world.options();
  world.start(std::move(options));
  auto key = crypto::PrivateKey::generate();
  SystemRandom random;
  const auto issuing = security::load_signer(world.cluster.pki.issuing).value();
  crypto::CertSpec spec;
  spec.use = crypto::CertUse::node;
  spec.uris = {"spiffe://example.org/cluster/c2/node/n1"};
  spec.not_before = world.clock.wall() - 60s;
  spec.not_after = world.clock.wall() + 3600s;
  const auto certificate =
      crypto::issue(spec, key.public_key(), issuing.chain.front(), issuing.key, random);
  const security::PemIdentity pem{certificate.pem() + issuing.chain.front().pem(), key.to_pem()};
  const auto answer = world.raw(world.http(pem), "POST", "/v1/renew", "{}");
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.body.find("identity_wrong_cluster"), std::string::npos);
}

TEST(TrackerAccess, CertificateThatRunsOutOnALivingConnectionIsRefused) {
  TrackerWorld world;
  world.start();
  const auto client = world.http(world.cluster.node("n1", security::NodeKind::node, 60s).pem);
  EXPECT_EQ(world.raw(client, "POST", "/v1/renew", "{}").status, 400);
  world.clock.advance(61s);
  const auto answer = world.raw(client, "POST", "/v1/renew", "{}");
  EXPECT_EQ(answer.status, 401);
  EXPECT_NE(answer.body.find("certificate_expired"), std::string::npos);
}

TEST(TrackerAccess, UnknownRoutesAndMethodsAreTold) {
  TrackerWorld world;
  world.start();
  const auto client = world.http(world.cluster.node("n1").pem);
  EXPECT_EQ(world.raw(client, "GET", "/").status, 404);
  EXPECT_EQ(world.raw(client, "GET", "/v1/tickets/x").status, 404);
  EXPECT_EQ(world.raw(client, "GET", "/v1/tickets").status, 405);
  EXPECT_EQ(world.raw(client, "DELETE", "/announce").status, 405);
}

TEST(TrackerAccess, BodyLimitHoldsAtSixtyFourKiB) {
  TrackerWorld world;
  world.start();
  const auto client = world.http(world.cluster.node("n1").pem);
  const auto padded = [](std::size_t size) {
    std::string body = R"({"csr":")";
    return body + std::string(size - body.size() - 2, 'x') + "\"}";
  };
  const auto at = world.raw(client, "POST", "/v1/renew", padded(64 * 1024));
  EXPECT_EQ(at.status, 400);
  EXPECT_NE(at.body.find("csr_invalid"), std::string::npos);
  EXPECT_EQ(world.raw(client, "POST", "/v1/renew", padded(64 * 1024 + 1)).status, 413);
}

TEST(TrackerAccess, ABodyThatDripsIsCut) {
  TrackerWorld world;
  auto options = world.options();
  options.limits.body_span = 500ms;
  world.start(std::move(options));
  net::TlsClientOptions trust;
  trust.roots_pem = world.server.roots_pem;
  auto plain = world.loop.run(net::tcp_connect(world.loop.executor(), "127.0.0.1", world.port, 5s));
  ASSERT_TRUE(plain.ok());
  auto stream = world.loop.run(net::tls_connect(
      std::move(*plain), *net::TlsClientContext::make(std::move(trust)), "127.0.0.1", 5s));
  ASSERT_TRUE(stream.ok()) << stream.error().text();
  const std::string head =
      "POST /v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE(world.loop.run((*stream)->write(as_bytes(head))).ok());
  test::Tasks tasks(world.loop);
  tasks->spawn([&] { return test::drip(**stream, std::string(200, 'a'), 20ms); });
  world.loop.run(test::WebServer::read_to_end(**stream));
  EXPECT_EQ(world.audit.count("enrol.refuse", "body_too_slow") +
                world.audit.count("enrol.refuse", "stream_idle"),
            1u);
}

TEST(TrackerAccess, AnAddressMayHoldItsShareAndNoMore) {
  TrackerWorld world;
  auto options = world.options();
  options.limits.connections_per_address = 2;
  world.start(std::move(options));
  const auto connect = [&] {
    return world.loop.run(net::tcp_connect(world.loop.executor(), "127.0.0.1", world.port, 5s));
  };
  const auto first = connect();
  const auto second = connect();
  EXPECT_EQ(world.raw(world.http({}), "GET", "/").status, 0);
  EXPECT_EQ(world.raw(world.http({}, "127.0.0.2"), "GET", "/").status, 404);
}

TEST(TrackerAccess, DuplicateKeysAndOtherJsonTricksAreRefused) {
  TrackerWorld world;
  world.start();
  const auto client = world.http(world.cluster.node("n1").pem);
  for (const char* body : {R"({"csr":"a","csr":"b"})", "[]", "", "{} x", "null", R"({"csr":1})"}) {
    EXPECT_EQ(world.raw(client, "POST", "/v1/renew", body).status, 400) << body;
  }
}

TEST(TrackerAccess, NodeThatCallsTooOftenIsSlowed) {
  TrackerWorld world;
  auto options = world.options();
  options.limits.node_calls_per_second = 0.001;
  options.limits.node_call_burst = 5;
  world.start(std::move(options));
  const auto client = world.http(world.cluster.node("n1").pem);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(world.raw(client, "POST", "/v1/renew", "{}").status, 400);
  }
  EXPECT_EQ(world.raw(client, "POST", "/v1/renew", "{}").status, 429);
  const auto other = world.http(world.cluster.node("n2").pem);
  EXPECT_EQ(world.raw(other, "POST", "/v1/renew", "{}").status, 400);
}

TEST(TrackerMake, RefusesKeysThatDoNotBelongTogether) {
  TrackerWorld world;
  TestCluster foreign(world.clock);
  const auto code = [&](auto change) {
    auto options = world.options();
    change(options);
    auto made = world.make(std::move(options));
    return made.ok() ? std::string("made") : made.error().code();
  };
  EXPECT_EQ(code([](auto&) {}), "made");
  EXPECT_EQ(code([&](auto& o) { o.issuing_key_pem = foreign.pki.issuing.key_pem; }),
            "tracker_authority_invalid");
  EXPECT_EQ(code([&](auto& o) { o.root_pem = foreign.pki.root.chain_pem; }),
            "tracker_authority_invalid");
  EXPECT_EQ(code([&](auto& o) {
              o.ticket_chain_pem = foreign.pki.ticket_signer.chain_pem;
              o.ticket_key_pem = foreign.pki.ticket_signer.key_pem;
            }),
            "tracker_ticket_signer_invalid");
  EXPECT_EQ(code([&](auto& o) {
              o.ticket_chain_pem = o.client.chain_pem;
              o.ticket_key_pem = o.client.key_pem;
            }),
            "tracker_ticket_signer_invalid");
  EXPECT_EQ(code([&](auto& o) {
              const auto node = world.cluster.node("n1");
              o.client = {node.pem.chain_pem, node.pem.key_pem};
            }),
            "tracker_client_invalid");
  EXPECT_EQ(code([](auto& o) { o.ticket_lifetime = 601s; }), "tracker_options_invalid");
  EXPECT_EQ(code([](auto& o) { o.registries[0].issuer.clear(); }), "tracker_registry_invalid");
  EXPECT_EQ(code([](auto& o) { o.registries.push_back(o.registries[0]); }),
            "tracker_registry_invalid");
}

TEST(TrackerMake, IsReadyOnceItListens) {
  TrackerWorld world;
  world.service = world.make(world.options()).value();
  EXPECT_TRUE(world.service->not_ready());
  EXPECT_TRUE(world.service->start().ok());
  EXPECT_FALSE(world.service->not_ready());
}

}  // namespace
}  // namespace convoy::tracker
