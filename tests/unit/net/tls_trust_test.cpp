#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>

#include "net/tcp.hpp"
#include "support/net_tls.hpp"

// Whom TLS lets in, under which name, and what a resumed session carries over.
namespace convoy::net {
namespace {

using test::CertOptions;
using test::TestCa;
using test::TlsPair;
using TlsTrust = test::TlsFixture;
using ::testing::HasSubstr;

TEST_F(TlsTrust, mutual_tls_shows_both_chains_without_the_root) {
  const TestCa issuing = ca.intermediate("issuing");
  TlsServerOptions options = server_options(PeerCertificate::required);
  options.identity = issuing.issue();
  options.tls13_only = true;
  TlsPair pair = connect(make(options), client(issuing.issue({.name = "node-1"})));
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ((*pair.server)->tls()->peer_chain.size(), 2u);
  EXPECT_EQ((*pair.client)->tls()->peer_chain.size(), 2u);
}

TEST_F(TlsTrust, a_client_without_certificate_is_refused_where_one_is_required) {
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

TEST_F(TlsTrust, optional_takes_none_but_not_a_bad_one) {
  EXPECT_TRUE(connect(server(PeerCertificate::optional), client()).ok());
  const TestCa stranger("stranger");
  TlsPair pair = connect(server(PeerCertificate::optional), client(stranger.issue()));
  EXPECT_EQ(pair.server.error().kind(), ErrorClass::unauthorized);
}

TEST_F(TlsTrust, client_certificates_that_do_not_verify_are_refused_with_the_reason) {
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

TEST_F(TlsTrust, a_server_that_does_not_verify_is_refused) {
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

TEST_F(TlsTrust, without_name_verification_only_the_chain_counts) {
  EXPECT_TRUE(connect(server(), client({}, false), "aabbccdd").ok());
  const TestCa stranger("stranger");
  TlsServerOptions foreign = server_options();
  foreign.identity = stranger.issue();
  EXPECT_FALSE(connect(make(foreign), client({}, false), "aabbccdd").client.ok());
  auto nameless = connect(server(), client(), "");
  EXPECT_EQ(nameless.client.error().code(), "tls_handshake");
}

TEST_F(TlsTrust, a_server_name_that_is_not_served_is_refused) {
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

TEST_F(TlsTrust, an_exception_in_the_name_check_is_a_refusal) {
  TlsServerOptions options = server_options();
  options.accept_server_name = [](std::string_view) -> bool { throw std::runtime_error("x"); };
  EXPECT_FALSE(connect(make(options), client()).server.ok());
}

TEST_F(TlsTrust, another_identity_can_be_chosen_by_name) {
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

TEST_F(TlsTrust, choosing_an_identity_by_name_changes_nobodys_trust) {
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

/// Connects again and again to one port: another one would be another server to the client.
class Resumption : public TlsTrust {
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
  const TlsPair elsewhere = dial(s, strict, "b.test.example");
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_FALSE(resumed(elsewhere));
  EXPECT_TRUE(resumed(dial(s, strict, "a.test.example")));
  EXPECT_FALSE(resumed(dial(s, peer, "a.test.example")));
  EXPECT_TRUE(resumed(dial(s, peer, "b.test.example")));
  EXPECT_EQ(asked.back(), "b.test.example");
  EXPECT_FALSE(dial(s, peer, "c.test.example").ok()) << "a session opens no name that is refused";
}

TEST_F(TlsTrust, the_servers_identity_can_be_replaced_while_it_serves) {
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

TEST_F(TlsTrust, bad_identities_and_roots_are_named) {
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
