#include <gtest/gtest.h>

#include "agent/proxy/authority.hpp"
#include "net/own_address.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "support/agent_world.hpp"
#include "support/net_drip.hpp"
#include "support/net_http.hpp"

namespace convoy {
namespace {

constexpr std::size_t kSize = 300 * 1024 + 7;

/// Speaks to the agent's proxy over a raw connection.
class Proxy : public ::testing::Test {
 protected:
  net::StreamPtr connect() {
    const auto at = world.agent->proxy_endpoint();
    auto stream = world.loop.run(
        net::tcp_connect(world.loop.executor(), at.ip, at.port, std::chrono::seconds(5)));
    return std::move(*stream);
  }
  std::string say(net::Stream& stream, const std::string& text, const std::string& until) {
    return world.loop.run(talk(stream, text, until));
  }
  std::string connect_to(net::Stream& stream, const std::string& authority,
                         const std::string& headers = {}) {
    return say(
        stream,
        "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n" + headers + "\r\n",
        "\r\n\r\n");
  }
  /// A TLS connection to the intercepted registry, trusting `roots`.
  Result<net::StreamPtr> intercepted(const std::string& roots) {
    auto plain = connect();
    const auto answer = connect_to(*plain, "registry.test:443");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200") << answer;
    net::TlsClientOptions options;
    options.roots_pem = roots;
    auto tls = net::TlsClientContext::make(std::move(options)).value();
    return world.loop.run(
        net::tls_connect(std::move(plain), tls, "registry.test", std::chrono::seconds(5)));
  }
  static net::Task<std::string> talk(net::Stream& stream, std::string text, std::string until) {
    static_cast<void>((co_await stream.write(as_bytes(text))).ok());
    std::string out;
    Bytes buffer(64 * 1024);
    while (until.empty() || out.find(until) == std::string::npos) {
      auto n = co_await stream.read_some(buffer);
      if (!n || *n == 0) break;
      out.append(as_text(ByteView(buffer).first(*n)));
    }
    co_return out;
  }
  static std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  test::AgentWorld world;
};

TEST_F(Proxy, RegistryIsAnsweredWithACertificateOfTheLocalCa) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem());
  ASSERT_TRUE(stream.ok()) << stream.error().text();
  const auto answer = say(**stream,
                          "GET " + world.blob_target(digest) +
                              " HTTP/1.1\r\nHost: registry.test\r\nAuthorization: Bearer u1\r\n"
                              "Connection: close\r\n\r\n",
                          "");
  EXPECT_TRUE(body_of(answer) == world.text());
  EXPECT_EQ(world.tracker->tickets.back().authorization->reveal(), "Bearer u1");
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
}

TEST_F(Proxy, CaStandsInTheDataDirectoryAndItsKeyDoesNot) {
  world.start();
  storage::Fd dir = std::move(storage::open_root(world.options.data_dir)).value();
  const auto names = storage::list_directory(dir.get(), "test").value();
  for (const auto& name : names) {
    const auto text = storage::read_whole(dir.get(), name, 1 << 20, "test");
    if (!text) continue;
    if (name == "proxy-ca.pem") {
      EXPECT_EQ(as_text(*text), world.agent->proxy_ca_pem());
    }
    if (name != "node-key.pem") {
      EXPECT_EQ(as_text(*text).find("PRIVATE"), std::string::npos) << name;
    }
  }
  EXPECT_TRUE(storage::exists(dir.get(), "proxy-ca.pem"));
}

TEST_F(Proxy, AnotherCaIsNotTrusted) {
  world.start();
  const auto other = test::make_server_identity(world.clock);
  EXPECT_FALSE(intercepted(other.roots_pem).ok());
}

TEST_F(Proxy, EverythingButBlobsIsPassedOnUnchanged) {
  world.blob(kSize);
  world.registry.demanded = "Bearer pusher";
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const auto refused =
      say(*stream, "GET /v2/ HTTP/1.1\r\nHost: registry.test\r\n\r\n", "UNAUTHORIZED\"}]}");
  EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 401");
  EXPECT_NE(refused.find("/token\",service=\"fake\""), std::string::npos);
  const auto token =
      say(*stream, "GET /token?scope=x HTTP/1.1\r\nHost: registry.test\r\n\r\n", "300}");
  EXPECT_NE(token.find("from-realm"), std::string::npos);

  const std::string body(200 * 1000, 'x');
  const auto pushed = say(*stream,
                          "PATCH /v2/team/app/blobs/uploads/1?state=%2Fa%3D HTTP/1.1\r\n"
                          "Host: registry.test\r\nAuthorization: Bearer pusher\r\n"
                          "Accept: one\r\nAccept: two\r\nContent-Length: 200000\r\n\r\n" +
                              body,
                          "\r\n\r\n");
  EXPECT_EQ(pushed.substr(0, 12), "HTTP/1.1 201");
  EXPECT_NE(pushed.find("Location: /v2/team/app/blobs/uploads/1"), std::string::npos);
  const auto& seen = world.registry.seen.back();
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, "/v2/team/app/blobs/uploads/1?state=%2Fa%3D");
  EXPECT_TRUE(seen.body == body);
  EXPECT_EQ(seen.headers.all("Accept").size(), 2U);
  EXPECT_EQ(seen.headers.get("Authorization"), "Bearer pusher");
}

TEST_F(Proxy, ChunkedPushIsPassedOn) {
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const auto pushed =
      say(*stream,
          "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1\r\nHost: registry.test\r\n"
          "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
          "\r\n\r\n");
  EXPECT_EQ(pushed.substr(0, 12), "HTTP/1.1 201");
  EXPECT_EQ(world.registry.seen.back().body, "hello world");
}

TEST_F(Proxy, APushThatDripsIsCut) {
  world.options.body_span = std::chrono::milliseconds(500);
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const std::string head =
      "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1\r\nHost: registry.test\r\n"
      "Content-Length: 200\r\n\r\n";
  EXPECT_TRUE(world.loop.run(stream->write(as_bytes(head))).ok());
  test::Tasks tasks(world.loop);
  tasks->spawn(
      [&] { return test::drip(*stream, std::string(200, 'a'), std::chrono::milliseconds(20)); });
  const auto answer = world.loop.run(test::WebServer::read_until(*stream, "\r\n\r\n"));
  EXPECT_NE(answer.substr(0, 12), "HTTP/1.1 201");
  for (const auto& seen : world.registry.seen) EXPECT_LT(seen.body.size(), 200U);
}

TEST_F(Proxy, SmallBlobsOfAManifestAreTakenAheadWithTheClientsCredential) {
  const auto digest = world.blob(700);
  world.registry.manifest =
      R"({"schemaVersion":2,"config":{"mediaType":"x/y","size":700,"digest":")" + digest.str() +
      R"("},"layers":[]})";
  world.registry.demanded = "Bearer u1";
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const auto ask = [&](const std::string& path, const std::string& until) {
    return say(*stream,
               "GET " + path +
                   " HTTP/1.1\r\nHost: registry.test\r\n"
                   "Authorization: Bearer u1\r\n\r\n",
               until);
  };
  const auto manifest = ask("/v2/team/app/manifests/latest", "[]}");
  EXPECT_EQ(body_of(manifest), world.registry.manifest);
  ASSERT_TRUE(world.until([&] {
    return world.metrics->text().find("convoy_agent_ahead_total{outcome=\"kept\"} 1") !=
           std::string::npos;
  }));
  world.registry.stop();
  EXPECT_TRUE(body_of(ask(world.blob_target(digest), world.text().substr(690))) == world.text());
}

TEST_F(Proxy, BlobWithoutCredentialGetsTheRegistrysChallenge) {
  const auto digest = world.blob(kSize);
  world.registry.demanded = "Bearer x";
  world.tracker->on_ticket = [](const clients::TicketRequest&) -> Result<clients::TicketReply> {
    return unauthorized("authorization_missing");
  };
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const auto answer =
      say(*stream, "GET " + world.blob_target(digest) + " HTTP/1.1\r\nHost: registry.test\r\n\r\n",
          "\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 401");
  EXPECT_NE(answer.find("WWW-Authenticate: Bearer realm="), std::string::npos);
  EXPECT_FALSE(world.tracker->tickets.front().authorization.has_value());
}

TEST_F(Proxy, RequestForAnotherHostInsideIsMisdirected) {
  world.start();
  auto stream = intercepted(world.agent->proxy_ca_pem()).value();
  const auto answer = say(*stream, "GET /v2/ HTTP/1.1\r\nHost: other.test\r\n\r\n", "\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 421");
  EXPECT_TRUE(world.registry.seen.empty());
}

TEST_F(Proxy, OtherHostsAreTunnelledUntouched) {
  world.start();
  test::WebServer other(world.loop, [](net::HttpExchange& http) -> net::Task<void> {
    http::ResponseHead head;
    std::string text = "from the other side";
    static_cast<void>((co_await http.respond(std::move(head), std::move(text))).ok());
  });
  auto stream = connect();
  const auto opened = connect_to(*stream, other.at().str());
  EXPECT_EQ(opened.substr(0, 12), "HTTP/1.1 200");
  const auto answer = say(*stream, "GET / HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n", "");
  EXPECT_NE(answer.find("from the other side"), std::string::npos);
}

TEST_F(Proxy, HalfClosedTunnelStillAnswers) {
  world.start();
  auto listener = net::Listener::open(world.loop.executor(), {"127.0.0.1", 0}).value();
  net::Listener* raw = listener.get();
  world.running->spawn([raw]() -> net::Task<void> {
    auto accepted = co_await raw->accept();
    std::string got = co_await test::WebServer::read_to_end(**accepted);
    got = "got " + got;
    static_cast<void>((co_await (*accepted)->write(as_bytes(got))).ok());
    co_await (*accepted)->close();
  });
  auto stream = connect();
  connect_to(*stream, listener->local().str());
  auto run = [](net::Stream& s) -> net::Task<std::string> {
    static_cast<void>((co_await s.write(as_bytes("question"))).ok());
    static_cast<void>((co_await s.shutdown_write()).ok());
    co_return co_await test::WebServer::read_to_end(s);
  };
  EXPECT_EQ(world.loop.run(run(*stream)), "got question");
}

TEST_F(Proxy, OtherHostsAreRefusedWhenTunnelsAreOff) {
  world.options.proxy_tunnel = false;
  world.start();
  for (const std::string host :
       {"example.org:443", "registry.test:444", "registry.test.evil:443", "127.0.0.1:22"}) {
    auto stream = connect();
    EXPECT_EQ(connect_to(*stream, host).substr(0, 12), "HTTP/1.1 403") << host;
  }
  EXPECT_EQ(world.audit.count("proxy.refuse", "host_not_configured"), 4U);
}

TEST_F(Proxy, NothingButConnect) {
  world.start();
  auto stream = connect();
  const auto answer =
      say(*stream, "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", "\r\n\r\n");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 405") << answer;
  for (const std::string bad :
       {"example.org", "example.org:0", "example.org:99999", ":443", "[::1]", "example.org:443x"}) {
    auto other = connect();
    EXPECT_EQ(connect_to(*other, bad).substr(0, 12), "HTTP/1.1 400") << bad;
  }
}

class ProxyUsers : public Proxy {
 protected:
  ProxyUsers() {
    world.options.proxy_users.push_back(
        {"alice", crypto::hash_password(Secret("canary-pw"), world.random)});
  }
};

TEST_F(ProxyUsers, AreAskedBeforeAnythingElse) {
  world.start();
  for (const std::string header :
       {"", "Proxy-Authorization: Basic YWxpY2U6d3Jvbmc=\r\n", "Proxy-Authorization: Basic\r\n",
        "Proxy-Authorization: Bearer abc\r\n", "Authorization: Basic YWxpY2U6Y2FuYXJ5LXB3\r\n",
        "Proxy-Authorization: Basic YWxpY2U6Y2FuYXJ5LXB3\r\n"
        "Proxy-Authorization: Basic YWxpY2U6Y2FuYXJ5LXB3\r\n"}) {
    auto stream = connect();
    const auto answer = connect_to(*stream, "registry.test:443", header);
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 407") << header;
    EXPECT_NE(answer.find("Proxy-Authenticate: Basic"), std::string::npos);
  }
  auto stream = connect();
  const std::string good = "Proxy-Authorization: Basic YWxpY2U6Y2FuYXJ5LXB3\r\n";
  EXPECT_EQ(connect_to(*stream, "registry.test:443", good).substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(world.log->text().find("canary"), std::string::npos);
}

class ProxyForOthers : public ProxyUsers {
 protected:
  ProxyForOthers() {
    world.options.proxy_listen = {"0.0.0.0", 0};
    world.options.proxy_allow_non_loopback = true;
  }
  /// What CONNECT is answered by a user.
  std::string opened(const std::string& host, std::uint16_t port) {
    const auto at = world.agent->proxy_endpoint();
    auto stream = world.loop.run(
        net::tcp_connect(world.loop.executor(), "127.0.0.1", at.port, std::chrono::seconds(5)));
    return connect_to(**stream, host + ":" + std::to_string(port),
                      "Proxy-Authorization: Basic YWxpY2U6Y2FuYXJ5LXB3\r\n")
        .substr(0, 12);
  }
};

TEST_F(ProxyForOthers, OpensNoneOfTheMachinesOwnAddresses) {
  world.start();
  const auto v4 = net::Listener::open(world.loop.executor(), {"0.0.0.0", 0}).value();
  const auto v6 = net::Listener::open(world.loop.executor(), {"::", 0});
  std::size_t refused = 0;
  const auto expect_refused = [&](const std::string& host, const net::Listener& listener) {
    EXPECT_EQ(opened(host, listener.local().port), "HTTP/1.1 403") << host;
    ++refused;
  };
  for (const std::string host : {"localhost", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"}) {
    expect_refused(host, *v4);
  }
  for (const std::string& ip : net::own_addresses()) {
    const bool is_v6 = ip.find(':') != std::string::npos;
    if (is_v6 && v6.ok() && !ip.starts_with("fe80")) expect_refused("[" + ip + "]", **v6);
    if (is_v6) continue;
    expect_refused(ip, *v4);
    expect_refused("[::ffff:" + ip + "]", *v4);
  }
  EXPECT_EQ(world.audit.count("proxy.refuse", "local_address"), refused);
  if (refused <= 6) GTEST_SKIP() << "this machine has no address beyond loopback";
}

TEST(ProxyAuthority, Parses) {
  EXPECT_EQ(agent::parse_authority("Example.ORG:443")->host, "example.org");
  EXPECT_EQ(agent::parse_authority("[2001:db8::1]:8443")->port, 8443);
  EXPECT_EQ(agent::parse_authority(std::string(255, 'a') + ":1")->port, 1);
  EXPECT_FALSE(agent::parse_authority(std::string(256, 'a') + ":1").ok());
  EXPECT_FALSE(agent::parse_authority("user@host:1").ok());
  EXPECT_FALSE(agent::parse_authority("a/b:1").ok());
}

TEST(ProxyAuthority, KnowsLoopbackAndLinkLocalAddresses) {
  for (const char* ip : {"127.0.0.1", "127.9.9.9", "::1", "::", "169.254.169.254", "fe80::1",
                         "::ffff:127.0.0.1", "0.0.0.0"}) {
    EXPECT_TRUE(agent::is_local_address(ip)) << ip;
  }
  for (const char* ip : {"10.0.0.1", "128.0.0.1", "2001:db8::1", "fd00::1"}) {
    EXPECT_FALSE(agent::is_local_address(ip)) << ip;
  }
}

}  // namespace
}  // namespace convoy
