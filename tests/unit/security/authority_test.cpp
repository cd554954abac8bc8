#include "security/ca/authority.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/pki.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;
using crypto::CertUse;

class Authority : public testing::Test {
 protected:
  SpiffeId id(std::string name, NodeKind kind = NodeKind::node) {
    return {"example.org", "c1", kind, std::move(name)};
  }
  std::string verify(std::string_view chain_pem, CertUse use) {
    auto chain = crypto::Certificate::chain_from_pem(chain_pem).value();
    const auto leaf = chain.front();
    chain.erase(chain.begin());
    const auto good = crypto::verify_chain(leaf, chain, cluster_.roots(), use, clock_.wall());
    return good ? "" : good.error().code();
  }
  std::string refusal(const SpiffeId& who, std::chrono::seconds lifetime = 24h) {
    const auto made = cluster_.authority.issue_node(who, key_.public_key(), lifetime);
    return made ? "" : made.error().code();
  }

  test::ManualClock clock_;
  test::TestCluster cluster_{clock_};
  crypto::PrivateKey key_ = crypto::PrivateKey::generate();
};

TEST_F(Authority, AClusterHasAllItsKeys) {
  EXPECT_EQ(verify(cluster_.pki.ticket_signer.chain_pem, CertUse::ticket_signer), "");
  EXPECT_EQ(verify(cluster_.pki.tracker.chain_pem, CertUse::node), "");
  EXPECT_EQ(verify(cluster_.pki.issuing.chain_pem, CertUse::ca), "");
  EXPECT_EQ(cluster_.tracker().id.str(), "spiffe://example.org/cluster/c1/tracker/tracker-1");
  for (const auto* pem : {&cluster_.pki.root, &cluster_.pki.issuing, &cluster_.pki.ticket_signer,
                          &cluster_.pki.tracker}) {
    EXPECT_TRUE(load_signer(*pem));
  }
}

TEST_F(Authority, TheTicketSignerIsNoNodeAndTheTrackerSignsNoTickets) {
  EXPECT_EQ(verify(cluster_.pki.ticket_signer.chain_pem, CertUse::node), "certificate_wrong_use");
  EXPECT_EQ(verify(cluster_.pki.tracker.chain_pem, CertUse::ticket_signer),
            "certificate_wrong_use");
}

TEST_F(Authority, RefusesNamesThatAreNoSpiffeParts) {
  SystemRandom random;
  EXPECT_FALSE(create_cluster_pki("Example.org", "c1", clock_.wall(), random));
  EXPECT_FALSE(create_cluster_pki("example.org", "c/1", clock_.wall(), random));
  EXPECT_FALSE(create_cluster_pki("example.org", "", clock_.wall(), random));
}

TEST_F(Authority, IssuesTheIdentityAndNothingElse) {
  const auto made = cluster_.authority.issue_node(id("node-1"), key_.public_key());
  ASSERT_TRUE(made);
  EXPECT_EQ(verify(made->chain_pem, CertUse::node), "");
  const auto& cert = made->certificate;
  EXPECT_EQ(spiffe_of(cert).value(), id("node-1"));
  EXPECT_TRUE(cert.dns_names().empty());
  EXPECT_EQ(cert.common_name(), "");
  EXPECT_FALSE(cert.is_ca());
  EXPECT_EQ(cert.public_key().spki(), key_.public_key().spki());
  EXPECT_EQ(cert.not_before(), clock_.wall() - 5min);
  EXPECT_EQ(cert.not_after(), clock_.wall() + 24h);
}

// A CSR that asks for another name or a CA: only its key is ever taken.
TEST_F(Authority, ACsrDecidesOnlyTheKey) {
  const auto key = crypto::csr_public_key(crypto::make_csr(key_, "spiffe://example.org/admin"));
  const auto made = cluster_.authority.issue_node(id("node-1"), key.value());
  EXPECT_EQ(spiffe_of(made->certificate)->name, "node-1");
  EXPECT_EQ(made->certificate.common_name(), "");
}

TEST_F(Authority, RefusesIdentitiesThatAreNotItsToGive) {
  EXPECT_EQ(refusal(id("node-1", NodeKind::origin)), "");
  EXPECT_EQ(refusal(id("tracker-2", NodeKind::tracker)), "identity_denied");
  auto other = id("node-1");
  other.cluster = "c2";
  EXPECT_EQ(refusal(other), "identity_denied");
  other = id("node-1");
  other.trust_domain = "example.com";
  EXPECT_EQ(refusal(other), "identity_denied");
  EXPECT_EQ(refusal(id("../tracker/x")), "identity_denied");
  EXPECT_EQ(refusal(id("")), "identity_denied");
}

TEST_F(Authority, LifetimesEndAtTheirLimits) {
  EXPECT_EQ(refusal(id("n"), 60s), "");
  EXPECT_EQ(refusal(id("n"), 59s), "lifetime_invalid");
  EXPECT_EQ(refusal(id("n"), 30 * 24h), "");
  EXPECT_EQ(refusal(id("n"), 30 * 24h + 1s), "lifetime_invalid");
}

TEST_F(Authority, NothingOutlivesTheIssuingCa) {
  clock_.advance(cluster_.authority.issuing().not_after() - clock_.wall() - 1h);
  const auto made = cluster_.authority.issue_node(id("n"), key_.public_key(), 24h);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->certificate.not_after(), cluster_.authority.issuing().not_after());
  clock_.advance(2h);
  EXPECT_EQ(refusal(id("n")), "authority_expired");
}

TEST_F(Authority, RenewalIsDueAtHalfLife) {
  const auto cert = cluster_.node("n").certificate;
  EXPECT_EQ(renew_at(cert), clock_.wall() - 5min + (24h + 5min + 0s) / 2);
}

TEST_F(Authority, IsNotMadeOfKeysThatDoNotBelongTogether) {
  SystemRandom random;
  const auto other = create_cluster_pki("example.org", "c1", clock_.wall(), random).value();
  const auto& pki = cluster_.pki;
  const auto code = [&](const std::string& cert, const Secret& key, const std::string& root,
                        const std::string& cluster = "c1") {
    const auto made =
        ClusterAuthority::make(cert, key, root, "example.org", cluster, clock_, random);
    return made ? std::string() : made.error().code();
  };
  const auto& issuing = pki.issuing;
  EXPECT_EQ(code(issuing.chain_pem, issuing.key_pem, pki.root.chain_pem), "");
  EXPECT_EQ(code(issuing.chain_pem, other.issuing.key_pem, pki.root.chain_pem),
            "authority_invalid");
  EXPECT_EQ(code(issuing.chain_pem, issuing.key_pem, other.root.chain_pem), "authority_invalid");
  EXPECT_EQ(code(pki.tracker.chain_pem, pki.tracker.key_pem, pki.root.chain_pem),
            "authority_invalid")
      << "a node certificate is no CA";
  EXPECT_EQ(code("", issuing.key_pem, pki.root.chain_pem), "authority_invalid");
  EXPECT_EQ(code(issuing.chain_pem, Secret(""), pki.root.chain_pem), "authority_invalid");
  EXPECT_EQ(code(issuing.chain_pem, issuing.key_pem, pki.root.chain_pem, "C 1"),
            "authority_invalid");
  clock_.advance(24h * 365 * 6);
  EXPECT_EQ(code(issuing.chain_pem, issuing.key_pem, pki.root.chain_pem), "authority_invalid");
}

TEST(ServerPki, NamesAndTrust) {
  test::ManualClock clock;
  SystemRandom random;
  const auto ca = create_server_ca("up", clock.wall(), random);
  const ServerNames names{{"localhost"}, {"127.0.0.1", "::1"}};
  const auto made = issue_server(ca, names, clock.wall(), 24h, random);
  ASSERT_TRUE(made);
  auto chain = crypto::Certificate::chain_from_pem(made->chain_pem).value();
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_TRUE(crypto::verify_chain(chain[0], {}, {chain[1]}, CertUse::server, clock.wall()));
  EXPECT_EQ(chain[0].dns_names(), std::vector<std::string>{"localhost"});
  const auto code = [&](const PemIdentity& from, const ServerNames& n) {
    const auto r = issue_server(from, n, clock.wall(), 24h, random);
    return r ? std::string() : r.error().code();
  };
  EXPECT_EQ(code(ca, {}), "server_name_invalid");
  EXPECT_EQ(code(ca, {{}, {"300.0.0.1"}}), "server_name_invalid");
  EXPECT_EQ(code(ca, {{"a b"}, {}}), "server_name_invalid");
  EXPECT_EQ(code(*made, names), "identity_invalid") << "a server certificate is no CA";
  EXPECT_EQ(code({"", Secret("")}, names), "identity_invalid");
}

}  // namespace
}  // namespace convoy::security
