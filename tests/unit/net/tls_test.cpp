#include "net/tls.hpp"

#include <atomic>
#include <cstdint>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

#include "base/random.hpp"
#include "net/tcp.hpp"
#include "support/net_certs.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_loop.hpp"
#include "support/net_pair.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CertOptions;
using test::Loop;
using test::TestCa;
using test::TlsPair;
using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  std::shared_ptr<TlsServerContext> server(PeerCertificate want = PeerCertificate::none,
                                           CertOptions cert = {}) {
    TlsServerOptions options = server_options(want, cert);
    return make(options);
  }
  TlsServerOptions server_options(PeerCertificate want = PeerCertificate::none,
                                  CertOptions cert = {}) {
    TlsServerOptions options;
    options.identity = ca.issue(cert);
    options.client_certificate = want;
    options.client_roots_pem = ca.root_pem();
    return options;
  }
  static std::shared_ptr<TlsServerContext> make(TlsServerOptions options) {
    auto made = TlsServerContext::make(std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().text();
    return *made;
  }
  std::shared_ptr<TlsClientContext> client(std::optional<TlsIdentity> identity = {},
                                           bool verify_name = true) {
    TlsClientOptions options;
    options.identity = std::move(identity);
    options.roots_pem = ca.root_pem();
    options.verify_name = verify_name;
    auto made = TlsClientContext::make(std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().text();
    return *made;
  }
  TlsPair connect(std::shared_ptr<TlsServerContext> s, std::shared_ptr<TlsClientContext> c,
                  std::string name = "localhost") {
    return loop.run(test::tls_pair(loop.executor(), std::move(s), std::move(c), std::move(name)));
  }
  Result<std::string> read(Stream& stream, std::size_t limit = 100) {
    Bytes buffer(limit);
    auto n = loop.run(stream.read_some(buffer));
    if (!n) return std::move(n).error();
    return std::string(as_text(ByteView(buffer).first(*n)));
  }

  Loop loop;
  TestCa ca{"cluster root"};
};

TEST_F(Tls, encrypts_and_reports_what_it_established) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  Stream& a = **pair.client;
  Stream& b = **pair.server;
  EXPECT_EQ(a.tls()->version, "TLSv1.3");
  EXPECT_EQ(b.tls()->server_name, "localhost");
  EXPECT_EQ(a.tls()->peer_chain.size(), 1u);
  EXPECT_TRUE(b.tls()->peer_chain.empty());
  EXPECT_FALSE(b.tls()->resumed);
  EXPECT_TRUE(loop.run(a.write(as_bytes("ping"))).ok());
  EXPECT_EQ(*read(b), "ping");
  EXPECT_TRUE(loop.run(b.write(as_bytes("pong"))).ok());
  EXPECT_EQ(*read(a), "pong");
  EXPECT_TRUE(a.quiet());
  EXPECT_TRUE(b.quiet());
}

TEST_F(Tls, close_is_an_orderly_end_and_abort_a_cut) {
  TlsPair pair = connect(server(), client());
  loop.run((*pair.client)->close());
  EXPECT_FALSE((*pair.server)->quiet());
  EXPECT_EQ(*read(**pair.server), "");

  TlsPair other = connect(server(), client());
  (*other.client)->abort();
  auto cut = read(**other.server);
  ASSERT_FALSE(cut.ok());
  // The session ticket that the client had not read yet turns the end into a reset.
  EXPECT_THAT(cut.error().code(), ::testing::AnyOf("stream_truncated", "stream_reset"));
  EXPECT_FALSE((*other.server)->quiet());

  TlsPair third = connect(server(), client());
  EXPECT_TRUE(loop.run((*third.client)->write(as_bytes("half"))).ok());
  EXPECT_EQ(*read(**third.server), "half");
  (*third.server)->abort();
  EXPECT_EQ(read(**third.client).error().code(), "stream_truncated");
}

TEST_F(Tls, half_close_lets_the_other_side_go_on_writing) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  EXPECT_TRUE(loop.run((*pair.client)->shutdown_write()).ok());
  EXPECT_EQ(*read(**pair.server), "");
  EXPECT_TRUE(loop.run((*pair.server)->write(as_bytes("late"))).ok());
  EXPECT_EQ(*read(**pair.client), "late");
}

TEST_F(Tls, mutual_tls_shows_both_chains_without_the_root) {
  const TestCa issuing = ca.intermediate("issuing");
  TlsServerOptions options = server_options(PeerCertificate::required);
  options.identity = issuing.issue();
  options.tls13_only = true;
  TlsPair pair = connect(make(options), client(issuing.issue({.name = "node-1"})));
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ((*pair.server)->tls()->peer_chain.size(), 2u);
  EXPECT_EQ((*pair.client)->tls()->peer_chain.size(), 2u);
}

TEST_F(Tls, a_client_without_certificate_is_refused_where_one_is_required) {
  TlsPair pair = connect(server(PeerCertificate::required), client());
  ASSERT_FALSE(pair.server.ok());
  EXPECT_EQ(pair.server.error().code(), "tls_handshake");
  EXPECT_EQ(pair.server.error().kind(), ErrorClass::unauthorized);
  // TLS 1.3: the client is told by its first read.
  ASSERT_TRUE(pair.client.ok());
  auto told = read(**pair.client);
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error().code(), "tls_alert");
  EXPECT_EQ(told.error().kind(), ErrorClass::unauthorized);
}

TEST_F(Tls, optional_takes_none_but_not_a_bad_one) {
  EXPECT_TRUE(connect(server(PeerCertificate::optional), client()).ok());
  const TestCa stranger("stranger");
  TlsPair pair = connect(server(PeerCertificate::optional), client(stranger.issue()));
  EXPECT_EQ(pair.server.error().kind(), ErrorClass::unauthorized);
}

TEST_F(Tls, client_certificates_that_do_not_verify_are_refused_with_the_reason) {
  const TestCa stranger("cluster root");  // the same name under another key
  struct Case {
    TlsIdentity identity;
    const char* reason;
  };
  std::vector<Case> cases;
  cases.push_back({stranger.issue(), "certificate"});
  cases.push_back({ca.issue({.from_days = -10, .to_days = -1}), "expired"});
  cases.push_back({ca.issue({.from_days = 1}), "not yet valid"});
  cases.push_back({ca.issue({.usage = "serverAuth"}), "purpose"});
  for (auto& each : cases) {
    TlsPair pair = connect(server(PeerCertificate::required), client(each.identity));
    ASSERT_FALSE(pair.server.ok()) << each.reason;
    EXPECT_EQ(pair.server.error().kind(), ErrorClass::unauthorized);
    EXPECT_THAT(pair.server.error().detail(), HasSubstr(each.reason));
  }
}

TEST_F(Tls, a_server_that_does_not_verify_is_refused) {
  const TestCa stranger("stranger");
  TlsServerOptions foreign = server_options();
  foreign.identity = stranger.issue();
  struct Case {
    std::shared_ptr<TlsServerContext> server;
    const char* name;
    const char* reason;
  };
  const Case cases[] = {
      {make(foreign), "localhost", "issuer"},
      {server(PeerCertificate::none, {.from_days = -9, .to_days = -1}), "localhost", "expired"},
      {server(), "other.example", "ostname mismatch"},
      {server(), "127.0.0.2", "IP address mismatch"},
      {server(PeerCertificate::none, {.name = "cn.example", .san = "DNS:other.example"}),
       "cn.example", "ostname mismatch"},
  };
  for (const auto& each : cases) {
    TlsPair pair = connect(each.server, client(), each.name);
    ASSERT_FALSE(pair.client.ok()) << each.reason;
    EXPECT_EQ(pair.client.error().kind(), ErrorClass::unauthorized);
    EXPECT_THAT(pair.client.error().detail(), HasSubstr(each.reason));
    EXPECT_FALSE(pair.server.ok());
  }
  EXPECT_TRUE(connect(server(), client(), "127.0.0.1").ok());
}

TEST_F(Tls, without_name_verification_only_the_chain_counts) {
  EXPECT_TRUE(connect(server(), client({}, false), "aabbccdd").ok());
  const TestCa stranger("stranger");
  TlsServerOptions foreign = server_options();
  foreign.identity = stranger.issue();
  EXPECT_FALSE(connect(make(foreign), client({}, false), "aabbccdd").client.ok());
  auto nameless = connect(server(), client(), "");
  EXPECT_EQ(nameless.client.error().code(), "tls_handshake");
}

TEST_F(Tls, a_server_name_that_is_not_served_is_refused) {
  TlsServerOptions options = server_options();
  options.accept_server_name = [](std::string_view name) { return name == "known"; };
  const auto context = make(options);
  EXPECT_TRUE(connect(context, client({}, false), "known").ok());
  for (const char* name : {"unknown", ""}) {
    TlsPair pair = connect(context, client({}, false), name);
    EXPECT_EQ(pair.server.error().code(), "tls_handshake");
    EXPECT_EQ(pair.server.error().detail(), "server name refused");
    EXPECT_THAT(pair.client.error().detail(), HasSubstr("unrecognized name"));
  }
}

TEST_F(Tls, an_exception_in_the_name_check_is_a_refusal) {
  TlsServerOptions options = server_options();
  options.accept_server_name = [](std::string_view) -> bool { throw std::runtime_error("x"); };
  EXPECT_FALSE(connect(make(options), client()).server.ok());
}

TEST_F(Tls, another_identity_can_be_chosen_by_name) {
  const auto other = server(PeerCertificate::none, {.san = "DNS:other.example"});
  TlsServerOptions options = server_options();
  options.select = [other](std::string_view name) {
    return name == "other.example" ? other : nullptr;
  };
  const auto context = make(options);
  EXPECT_TRUE(connect(context, client(), "other.example").ok());
  EXPECT_TRUE(connect(context, client(), "localhost").ok());
  EXPECT_FALSE(connect(context, client(), "third.example").ok());
}

TEST_F(Tls, choosing_an_identity_by_name_changes_nobodys_trust) {
  const TestCa stranger("stranger");
  TlsServerOptions lax = server_options(PeerCertificate::optional);
  lax.client_roots_pem = stranger.root_pem();
  const auto other = make(lax);
  TlsServerOptions options = server_options(PeerCertificate::required);
  options.select = [other](std::string_view) { return other; };
  const auto context = make(options);
  EXPECT_TRUE(connect(context, client(ca.issue())).ok());
  EXPECT_EQ(connect(context, client(stranger.issue())).server.error().kind(),
            ErrorClass::unauthorized);
  EXPECT_EQ(connect(context, client()).server.error().kind(), ErrorClass::unauthorized);
}

/// A client of another make, which speaks nothing newer than `version`.
bool handshakes_at(std::uint16_t port, int version) {
  test::ForeignTls client;
  SSL_CTX_set_min_proto_version(client.context(), 0);
  SSL_CTX_set_max_proto_version(client.context(), version);
  // Or it would not even try TLS 1.1.
  SSL_CTX_set_cipher_list(client.context(), "ALL:@SECLEVEL=0");
  return client.handshakes(port);
}

TEST_F(Tls, tls12_is_spoken_unless_1_3_alone_is_wanted) {
  for (const bool only13 : {false, true}) {
    TlsServerOptions options = server_options();
    options.tls13_only = only13;
    auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
    const auto port = (*listener)->local().port;
    auto outcome = std::async(std::launch::async, handshakes_at, port, TLS1_2_VERSION);
    auto plain = loop.run((*listener)->accept());
    auto accepted = loop.run(tls_accept(std::move(*plain), make(options), seconds(5)));
    EXPECT_EQ(accepted.ok(), !only13);
    EXPECT_EQ(outcome.get(), !only13);
    if (!only13) {
      EXPECT_EQ((*accepted)->tls()->version, "TLSv1.2");
    }
  }
}

TEST_F(Tls, nothing_older_than_tls12_is_spoken_and_13_is_preferred) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_3_VERSION}) {
    auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
    const auto port = (*listener)->local().port;
    auto outcome = std::async(std::launch::async, handshakes_at, port, version);
    auto plain = loop.run((*listener)->accept());
    auto accepted = loop.run(tls_accept(std::move(*plain), server(), seconds(5)));
    EXPECT_EQ(outcome.get(), version == TLS1_3_VERSION);
    ASSERT_EQ(accepted.ok(), version == TLS1_3_VERSION);
    if (accepted) {
      EXPECT_EQ((*accepted)->tls()->version, "TLSv1.3") << "though 1.2 was offered too";
      continue;
    }
    EXPECT_EQ(accepted.error().code(), "tls_handshake");
    EXPECT_THAT(accepted.error().detail(), HasSubstr("protocol"));
  }
}

TEST_F(Tls, contexts_serve_several_threads_while_identities_are_replaced) {
  const auto s = server(PeerCertificate::required);
  const auto c = client(ca.issue());
  std::atomic<int> good = 0;
  const auto connect_often = [&] {
    Loop own;
    for (int i = 0; i < 20; ++i) {
      TlsPair pair = own.run(test::tls_pair(own.executor(), s, c));
      if (pair.ok()) ++good;
    }
  };
  std::thread first(connect_often);
  std::thread second(connect_often);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(s->replace_identity(ca.issue()).ok());
    EXPECT_TRUE(c->replace_identity(ca.issue()).ok());
  }
  first.join();
  second.join();
  EXPECT_EQ(good, 40);
}

TEST_F(Tls, alpn_agrees_on_a_common_protocol) {
  TlsServerOptions options = server_options();
  options.alpn = {"http/1.1"};
  TlsClientOptions wants;
  wants.roots_pem = ca.root_pem();
  wants.alpn = {"h2", "http/1.1"};
  auto c = TlsClientContext::make(wants);
  TlsPair pair = connect(make(options), *c);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ((*pair.client)->tls()->alpn, "http/1.1");
  EXPECT_EQ((*pair.server)->tls()->alpn, "http/1.1");
}

TEST_F(Tls, plain_bytes_into_a_tls_port_are_refused_at_once) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  EXPECT_TRUE(loop.run(pair.client->write(as_bytes("GET / HTTP/1.1\r\n\r\n"))).ok());
  pair.client->abort();
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), seconds(5)));
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code(), "tls_handshake");
  EXPECT_EQ(accepted.error().kind(), ErrorClass::invalid);
}

TEST_F(Tls, a_silent_peer_does_not_hold_a_handshake) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), milliseconds(30)));
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code(), "stream_idle");
}

TEST_F(Tls, a_peer_that_drips_bytes_does_not_hold_a_handshake) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  test::Tasks tasks(loop);
  Stream* dripper = pair.client.get();
  const auto drip = [dripper]() -> Task<void> {
    const Bytes hello(200, 0x16);
    for (std::size_t i = 0; i < hello.size(); ++i) {
      // A record header that promises more than ever comes.
      static constexpr std::uint8_t kHeader[] = {0x16, 3, 1, 0x20, 0};
      const std::uint8_t byte = i < sizeof kHeader ? kHeader[i] : 1;
      auto written = co_await dripper->write(ByteView(&byte, 1));
      if (!written) break;
      if (!co_await sleep_for(milliseconds(2))) break;
    }
  };
  tasks->spawn(drip);
  const auto start = std::chrono::steady_clock::now();
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), milliseconds(40)));
  EXPECT_FALSE(accepted.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(900));
}

TEST_F(Tls, idle_timeouts_count_inside_tls) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  (*pair.server)->set_idle_timeout(milliseconds(30));
  auto idle = read(**pair.server);
  EXPECT_EQ(idle.error().code(), "stream_idle");
}

/// Writes a pseudo-random stream made of `seed` and says its hash-like sum.
Task<void> write_stream(Stream& stream, std::uint64_t seed, std::size_t n, Status& out) {
  SeededRandom random(seed);
  Bytes block(100'003);
  while (n > 0 && out.ok()) {
    const std::size_t step = std::min(n, block.size());
    random.fill(MutableByteView(block).first(step));
    out = co_await stream.write(ByteView(block).first(step));
    n -= step;
  }
}

Task<void> check_stream(Stream& stream, std::uint64_t seed, std::size_t n, bool& equal) {
  SeededRandom random(seed);
  Bytes expected(100'003);
  Bytes buffer(70'001);
  std::size_t filled = 0;
  std::size_t at = 0;
  while (n > 0) {
    auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
    for (std::size_t i = 0; i < *got;) {
      if (at == filled) {
        filled = std::min(n, expected.size());
        random.fill(MutableByteView(expected).first(filled));
        at = 0;
      }
      const std::size_t step = std::min(*got - i, filled - at);
      if (!std::equal(buffer.begin() + static_cast<std::ptrdiff_t>(i),
                      buffer.begin() + static_cast<std::ptrdiff_t>(i + step),
                      expected.begin() + static_cast<std::ptrdiff_t>(at))) {
        co_return;
      }
      i += step;
      at += step;
      n -= step;
    }
  }
  equal = true;
}

TEST_F(Tls, one_reader_and_one_writer_on_each_side_at_once) {
  constexpr std::size_t kSize = 64 * 1024 * 1024;
  TlsPair pair = connect(server(PeerCertificate::required), client(ca.issue()));
  ASSERT_TRUE(pair.ok());
  Status a;
  Status b;
  bool c = false;
  bool d = false;
  {
    TaskGroup group(loop.executor());
    group.spawn([&] { return write_stream(**pair.client, 1, kSize, a); });
    group.spawn([&] { return write_stream(**pair.server, 2, kSize, b); });
    group.spawn([&] { return check_stream(**pair.server, 1, kSize, c); });
    group.spawn([&] { return check_stream(**pair.client, 2, kSize, d); });
    const auto wait = [&]() -> Task<void> {
      while (group.size() > 0) static_cast<void>(co_await sleep_for(milliseconds(2)));
    };
    loop.run(wait());
  }
  EXPECT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(c);
  EXPECT_TRUE(d);
}

/// Connects again and again to one port: another one would be another server to the client.
class Resumption : public Tls {
 protected:
  TlsPair dial(const std::shared_ptr<TlsServerContext>& s,
               const std::shared_ptr<TlsClientContext>& c, const std::string& name = "localhost") {
    test::Pair plain = loop.run(test::pair_at(loop.executor(), *listener));
    TlsPair pair = loop.run(test::tls_over(loop.executor(), std::move(plain), s, c, name));
    if (!pair.ok()) return pair;
    // The ticket comes after the handshake, with the first read.
    EXPECT_TRUE(loop.run((*pair.server)->write(as_bytes("x"))).ok());
    EXPECT_EQ(*read(**pair.client), "x");
    EXPECT_EQ((*pair.client)->tls()->resumed, (*pair.server)->tls()->resumed);
    return pair;
  }
  static bool resumed(const TlsPair& pair) { return pair.ok() && (*pair.server)->tls()->resumed; }

  std::unique_ptr<Listener> listener = *Listener::open(loop.executor(), {"127.0.0.1", 0});
};

TEST_F(Resumption, shows_the_same_chain) {
  const TestCa issuing = ca.intermediate("issuing");
  TlsServerOptions options = server_options(PeerCertificate::required);
  options.identity = issuing.issue();
  const auto s = make(options);
  const auto c = client(issuing.issue());
  const auto chain = [](const Result<StreamPtr>& stream) { return (*stream)->tls()->peer_chain; };
  const TlsPair first = dial(s, c);
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(resumed(first));
  for (int round = 0; round < 2; ++round) {
    const TlsPair again = dial(s, c);
    ASSERT_TRUE(resumed(again));
    EXPECT_EQ(chain(again.server), chain(first.server));
    EXPECT_EQ(chain(again.client), chain(first.client));
  }
  // With a new identity the old sessions, which show the old certificate, are gone.
  EXPECT_TRUE(c->replace_identity(issuing.issue({.name = "renewed"})).ok());
  const TlsPair renewed = dial(s, c);
  ASSERT_TRUE(renewed.ok());
  EXPECT_FALSE(resumed(renewed));
  EXPECT_NE(chain(renewed.server), chain(first.server));
}

TEST_F(Resumption, crosses_names_only_where_the_name_is_not_verified) {
  TlsServerOptions options =
      server_options(PeerCertificate::required, {.san = "DNS:*.test.example"});
  std::vector<std::string> asked;
  options.accept_server_name = [&asked](std::string_view name) {
    asked.emplace_back(name);
    return name != "c.test.example";
  };
  const auto s = make(options);
  const auto strict = client(ca.issue()), peer = client(ca.issue(), false);
  EXPECT_TRUE(dial(s, strict, "a.test.example").ok());
  EXPECT_FALSE(resumed(dial(s, strict, "b.test.example")));
  EXPECT_TRUE(resumed(dial(s, strict, "a.test.example")));
  EXPECT_FALSE(resumed(dial(s, peer, "a.test.example")));
  EXPECT_TRUE(resumed(dial(s, peer, "b.test.example")));
  EXPECT_EQ(asked.back(), "b.test.example");
  EXPECT_FALSE(dial(s, peer, "c.test.example").ok()) << "a session opens no name that is refused";
}

TEST_F(Tls, the_servers_identity_can_be_replaced_while_it_serves) {
  const auto s = server(PeerCertificate::none, {.san = "DNS:old.example"});
  const auto c = client();
  TlsPair before = connect(s, c, "old.example");
  ASSERT_TRUE(before.ok());
  EXPECT_TRUE(s->replace_identity(ca.issue({.san = "DNS:new.example"})).ok());
  EXPECT_TRUE(connect(s, c, "new.example").ok());
  EXPECT_FALSE(connect(s, c, "old.example").client.ok());
  EXPECT_TRUE(loop.run((*before.server)->write(as_bytes("still"))).ok());
  EXPECT_EQ(*read(**before.client), "still");
  EXPECT_EQ(s->replace_identity({}).error().code(), "tls_identity_invalid");
  EXPECT_TRUE(connect(s, c, "new.example").ok()) << "a bad replacement changes nothing";
}

TEST_F(Tls, bad_identities_and_roots_are_named) {
  const TlsIdentity one = ca.issue();
  const TlsIdentity two = ca.issue();
  TlsServerOptions options;
  options.identity = {one.chain_pem, two.key_pem};
  EXPECT_EQ(TlsServerContext::make(options).error().code(), "tls_identity_invalid");
  options.identity = {"", one.key_pem};
  EXPECT_EQ(TlsServerContext::make(options).error().code(), "tls_identity_invalid");
  options.identity = {one.chain_pem, Secret("no key")};
  EXPECT_EQ(TlsServerContext::make(options).error().code(), "tls_identity_invalid");
  options.identity = one;
  options.client_certificate = PeerCertificate::required;
  EXPECT_EQ(TlsServerContext::make(options).error().code(), "tls_roots_invalid");
  options.client_roots_pem =
      ca.root_pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(TlsServerContext::make(options).error().code(), "tls_roots_invalid");
  TlsClientOptions c;
  c.roots_pem = "nonsense";
  EXPECT_EQ(TlsClientContext::make(c).error().code(), "tls_roots_invalid");
}

}  // namespace
}  // namespace convoy::net
