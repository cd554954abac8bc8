#include "agent/gate.hpp"

#include <gtest/gtest.h>

#include "agent/options_check.hpp"
#include "support/agent_world.hpp"
#include "support/manual_clock.hpp"
#include "support/net_drip.hpp"
#include "support/net_http.hpp"
#include "support/wire_code_of.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy {
namespace {

class MirrorUsers : public ::testing::Test {
 protected:
  MirrorUsers() {
    world.options.mirror_users.push_back(
        {"engine", crypto::hash_password(Secret("pw"), world.random)});
    digest = world.blob(100 * 1024);
    world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  }
  /// Of `n` requests sent at once; 0: no answer.
  std::vector<int> statuses(int n, const std::function<std::string(int)>& password) {
    std::vector<std::shared_ptr<std::optional<test::Got>>> all;
    for (int i = 0; i < n; ++i) {
      auto request = world.request("GET", "/v2/");
      request.headers.add("Authorization", auth::basic_header("engine", Secret(password(i))));
      all.push_back(world.begin(std::move(request)));
    }
    std::vector<int> out;
    for (const auto& got : all) {
      for (int i = 0; i < 10'000 && !*got; ++i) world.pump();
      out.push_back(*got ? (*got)->status : 0);
    }
    return out;
  }
  test::AgentWorld world;
  oci::Digest digest = oci::Digest::sha256({});
};

TEST_F(MirrorUsers, WithoutThemNotAByteAndNoWork) {
  world.start();
  for (const std::string value : {"", "Basic ZW5naW5lOndyb25n", "Bearer token", "Basic %%%"}) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      for (const std::string& target :
           {std::string("/v2/"), test::AgentWorld::blob_target(digest), std::string("/x/../y")}) {
        auto request = world.request(method, target);
        if (!value.empty()) request.headers.add("Authorization", value);
        const auto got = world.get(std::move(request));
        EXPECT_TRUE(got.status == 401 || got.status == 429) << method << target << got.status;
      }
    }
  }
  EXPECT_TRUE(world.tracker->tickets.empty());
  EXPECT_TRUE(world.registry.seen.empty());
  EXPECT_LE(world.registry.hellos, 1U) << "the agent's own";
  EXPECT_GE(world.audit.count("mirror.refuse"), 6U);
}

TEST_F(MirrorUsers, AMalformedOrRepeatedAuthorizationIsRecorded) {
  world.start();
  auto malformed = world.blob_request(digest);
  malformed.headers.add("Authorization", "Basic %%%");
  EXPECT_EQ(world.get(std::move(malformed)).status, 401);
  auto repeated = world.blob_request(digest);
  repeated.headers.add("Authorization", "Basic ZW5naW5lOnB3");
  repeated.headers.add("Authorization", "Basic ZW5naW5lOnB3");
  EXPECT_EQ(world.get(std::move(repeated)).status, 401);
  EXPECT_EQ(world.audit.count("mirror.refuse", "authorization_invalid"), 2U);
}

TEST_F(MirrorUsers, TheFifthFailureInARowRaisesAnAlertWithoutTheSecret) {
  world.start();
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", auth::basic_header("engine", Secret("canary")));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.get(request).status, 401);
  EXPECT_EQ(world.log->text().find("logins keep failing"), std::string::npos);
  EXPECT_EQ(world.get(request).status, 401);
  EXPECT_NE(
      world.log->text().find(R"("msg":"logins keep failing","user":"engine","ip":"127.0.0.1")"),
      std::string::npos);
  EXPECT_EQ(world.log->text().find("canary"), std::string::npos);
  EXPECT_NE(world.metrics->text().find("convoy_login_alerts_total 1"), std::string::npos);
}

TEST_F(MirrorUsers, TheirCredentialIsNotTheRegistrys) {
  world.start();
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Basic ZW5naW5lOnB3");
  EXPECT_EQ(world.get(std::move(request)).status, 200);
  EXPECT_FALSE(world.tracker->tickets.back().authorization.has_value());
  auto manifest = world.request("GET", "/v2/team/app/manifests/latest");
  manifest.headers.add("Authorization", "Basic ZW5naW5lOnB3");
  EXPECT_EQ(world.get(std::move(manifest)).status, 200);
  for (const auto& seen : world.registry.seen) EXPECT_FALSE(seen.headers.has("Authorization"));
}

TEST_F(MirrorUsers, OfManyGuessesAtOnceFewAreChecked) {
  world.start();
  const auto got = statuses(100, [](int i) { return "guess" + std::to_string(i); });
  const auto checked = std::count(got.begin(), got.end(), 401);
  // 16 at a time, and none any more after the fifth that failed.
  EXPECT_LE(checked, 20);
  EXPECT_EQ(std::count(got.begin(), got.end(), 429), 100 - checked);
}

TEST_F(MirrorUsers, ManyAtOnceByOneCredentialAreLetIn) {
  world.start();
  for (const int status : statuses(40, [](int) { return "pw"; })) EXPECT_EQ(status, 200);
}

class Options : public ::testing::Test {
 protected:
  Options() { world.options.data_dir = world.dir.path() + "/d"; }
  std::string verdict() {
    const auto made = world.make();
    return made ? "ok" : made.error().code();
  }
  test::AgentWorld world;
};

TEST_F(Options, ListenersBeyondLoopbackNeedWordAndAuthentication) {
  auto& o = world.options;
  const agent::AgentUser user{"u", crypto::hash_password(Secret("pw"), world.random)};
  const auto tls = test::make_server_identity(world.clock);
  EXPECT_EQ(verdict(), "ok");
  o.mirror_listen = {"0.0.0.0", 0};
  EXPECT_EQ(verdict(), "agent_listen_refused");
  o.mirror_allow_non_loopback = true;
  EXPECT_EQ(verdict(), "agent_listen_refused");
  o.mirror_users.push_back(user);
  EXPECT_EQ(verdict(), "ok");
  o.mirror_users.clear();
  o.mirror_client_roots_pem = world.cluster.pki.root.chain_pem;
  EXPECT_EQ(verdict(), "agent_option_invalid");  // client certificates without TLS
  o.mirror_tls = net::TlsIdentity{tls.identity.chain_pem, tls.identity.key_pem};
  EXPECT_EQ(verdict(), "ok");
  o.proxy_listen = {"::", 0};
  EXPECT_EQ(verdict(), "agent_listen_refused");
  o.proxy_allow_non_loopback = true;
  EXPECT_EQ(verdict(), "agent_listen_refused");
  o.proxy_users.push_back(user);
  EXPECT_EQ(verdict(), "ok");
}

TEST_F(Options, FaultsAreNamed) {
  auto& o = world.options;
  const auto good = o;
  const auto broken = [&](auto change) {
    o = good;
    change();
    return verdict();
  };
  EXPECT_EQ(broken([&] { o.node_name.clear(); }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.tracker_url = "http://t:1"; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.tracker_pin = "abc"; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.page_cache = (16ULL << 20) - 1; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.page_cache = 16ULL << 20; }), "ok");
  EXPECT_EQ(broken([&] { o.registries[0].allow_http = false; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.registries[0].base_url = "ftp://x"; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.registries[0].host = "Up per"; }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.registries.push_back(o.registries[0]); }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.mirror_users.push_back({"u", "plain"}); }), "agent_option_invalid");
  EXPECT_EQ(broken([&] { o.mirror_enabled = o.proxy_enabled = false; }), "agent_option_invalid");
}

/// Raw connections to the agent.
class Strangers : public ::testing::Test {
 protected:
  net::StreamPtr connect(const net::Endpoint& at) {
    auto stream = world.loop.run(
        net::tcp_connect(world.loop.executor(), "127.0.0.1", at.port, std::chrono::seconds(5)));
    return std::move(*stream);
  }
  bool send(net::Stream& to, const std::string& text) {
    return world.loop.run(to.write(as_bytes(text))).ok();
  }
  /// How many of `n` connections that stay open are answered.
  int answered(int n) {
    int count = 0;
    for (int i = 0; i < n; ++i) {
      open.push_back(connect(world.agent->mirror_endpoint()));
      send(*open.back(), "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n");
      count += !world.loop.run(test::WebServer::read_until(*open.back(), "\r\n\r\n")).empty();
    }
    return count;
  }
  test::AgentWorld world;
  std::vector<net::StreamPtr> open;
};

TEST_F(Strangers, BodyThatDripsIsCut) {
  world.options.body_span = std::chrono::milliseconds(500);
  world.start();
  for (const auto& at : {world.agent->mirror_endpoint(), world.agent->proxy_endpoint()}) {
    auto stream = connect(at);
    EXPECT_TRUE(send(*stream, "POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n"));
    const auto refused = world.loop.run(test::WebServer::read_until(*stream, "\r\n\r\n"));
    EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 405");
    test::Tasks tasks(world.loop);
    const std::string further = "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    tasks->spawn([&] {
      return test::drip(*stream, std::string(200, 'a') + further, std::chrono::milliseconds(20));
    });
    const auto rest = world.loop.run(test::WebServer::read_to_end(*stream));
    EXPECT_EQ(rest.find("HTTP/1.1"), std::string::npos) << rest;
  }
}

TEST_F(Strangers, MayHoldTheirShareOfConnectionsAndNoMore) {
  world.options.connections_per_address = 2;
  world.options.mirror_listen = {"0.0.0.0", 0};
  world.options.mirror_allow_non_loopback = true;
  world.options.mirror_users.push_back(
      {"engine", crypto::hash_password(Secret("pw"), world.random)});
  world.start();
  EXPECT_EQ(answered(3), 2);
}

TEST_F(Strangers, OnLoopbackAreTheMachinesOwnAndShareOneAddress) {
  world.options.connections_per_address = 2;
  world.start();
  EXPECT_EQ(answered(3), 3);
}

TEST(MirrorTls, ClientCertificateIsDemandedOnEveryRequest) {
  test::AgentWorld world;
  const auto server = test::make_server_identity(world.clock);
  world.options.mirror_tls = net::TlsIdentity{server.identity.chain_pem, server.identity.key_pem};
  world.options.mirror_client_roots_pem = world.cluster.pki.root.chain_pem;
  world.start();
  const auto ask = [&](std::optional<net::TlsIdentity> identity) {
    net::TlsClientOptions tls;
    tls.roots_pem = server.roots_pem;
    tls.identity = std::move(identity);
    net::HttpClientOptions options;
    options.tls = net::TlsClientContext::make(std::move(tls)).value();
    net::HttpClient client(world.loop.executor(), std::move(options));
    auto request = world.request("GET", "/v2/");
    request.url.tls = true;
    auto response = world.loop.run(
        client.send(std::move(request),
                    Deadline::at(std::chrono::steady_clock::now() + std::chrono::seconds(5))));
    return response ? (*response)->status() : 0;
  };
  EXPECT_EQ(ask(std::nullopt), 0);
  const auto node = world.cluster.node("engine");
  EXPECT_EQ(ask(net::TlsIdentity{node.pem.chain_pem, node.pem.key_pem}), 200);
  test::TestCluster other(world.clock, "c2");
  const auto stranger = other.node("engine");
  EXPECT_EQ(ask(net::TlsIdentity{stranger.pem.chain_pem, stranger.pem.key_pem}), 0);
}

}  // namespace
}  // namespace convoy
