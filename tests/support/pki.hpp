#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "crypto/certificate.hpp"
#include "crypto/jws.hpp"
#include "security/ca/authority.hpp"
#include "security/ca/pem_identity.hpp"
#include "security/ca/server_pki.hpp"
#include "security/identity/spiffe.hpp"
#include "security/token/metadata_statement.hpp"
#include "security/token/registry_token.hpp"
#include "security/token/ticket.hpp"
#include "security/token/token_pki.hpp"

// Throw-away keys for tests: real certificates, made in a few milliseconds.
namespace convoy::test {

/// A machine of a cluster with its key and node certificate.
struct TestNode {
  security::SpiffeId id;
  crypto::PrivateKey key;
  crypto::Certificate certificate;
  security::PemIdentity pem;  ///< leaf and issuing CA, and the key: what TLS is given
};

/// A whole cluster: root, issuing CA, tracker, ticket signer. The clock must outlive it; with a
/// SystemClock the certificates are good for real TLS.
class TestCluster {
 public:
  explicit TestCluster(const Clock& clock, std::string cluster = "c1",
                       std::string trust_domain = "example.org")
      : clock_(&clock),
        pki(security::create_cluster_pki(trust_domain, cluster, clock.wall(), random_).value()),
        root(crypto::Certificate::from_pem(pki.root.chain_pem).value()),
        authority(security::ClusterAuthority::make(pki.issuing.chain_pem, pki.issuing.key_pem,
                                                   pki.root.chain_pem, trust_domain, cluster, clock,
                                                   random_)
                      .value()) {}
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  TestNode node(std::string_view name, security::NodeKind kind = security::NodeKind::node,
                std::chrono::seconds lifetime = security::kDefaultNodeLifetime) {
    const auto id =
        security::SpiffeId{authority.trust_domain(), authority.cluster(), kind, std::string(name)};
    auto key = crypto::PrivateKey::generate();
    const auto made = authority.issue_node(id, key.public_key(), lifetime).value();
    return {id, key, made.certificate, {made.chain_pem, key.to_pem()}};
  }
  TestNode origin(std::string_view name = "origin") {
    return node(name, security::NodeKind::origin);
  }
  TestNode tracker() {
    const auto signer = security::load_signer(pki.tracker).value();
    return {security::spiffe_of(signer.chain.front()).value(), signer.key, signer.chain.front(),
            pki.tracker};
  }

  std::vector<crypto::Certificate> roots() const { return {root}; }
  security::TicketIssuer ticket_issuer() {
    return {security::load_signer(pki.ticket_signer).value(), tracker().id, *clock_, random_};
  }
  security::TicketVerifier ticket_verifier() const {
    return {authority.cluster(), roots(), *clock_};
  }
  /// A ticket for both actions.
  std::string ticket(const TestNode& node, const oci::Digest& digest, const Hash256& info_hash,
                     security::TicketActions actions = {.leech = true, .seed = true},
                     bt::Zone zone = {}) {
    const security::TicketGrant grant{
        node.id, node.certificate.thumbprint(), digest,         info_hash,
        actions, security::kMaxTicketLifetime,  std::move(zone)};
    return ticket_issuer().issue(grant);
  }

 private:
  const Clock* clock_;
  SystemRandom random_;

 public:
  security::ClusterPki pki;
  crypto::Certificate root;
  security::ClusterAuthority authority;
};

/// The signing keys of a registry.
class TestRegistryKeys {
 public:
  explicit TestRegistryKeys(const Clock& clock, std::string issuer_name = "registry.test",
                            std::string audience_name = "registry.test")
      : clock_(&clock),
        issuer(std::move(issuer_name)),
        audience(std::move(audience_name)),
        pki(security::create_registry_pki("test", clock.wall(), random_)),
        ca(crypto::Certificate::from_pem(pki.token_ca.chain_pem).value()) {}
  TestRegistryKeys(const TestRegistryKeys&) = delete;
  TestRegistryKeys& operator=(const TestRegistryKeys&) = delete;

  crypto::Signer token_signer() const { return security::load_signer(pki.token_signer).value(); }
  crypto::Signer metadata_signer() const {
    return security::load_signer(pki.metadata_signer).value();
  }
  security::RegistryTokenIssuer token_issuer(
      std::chrono::seconds lifetime = std::chrono::minutes(5)) {
    return {token_signer(), issuer, audience, lifetime, *clock_, random_};
  }
  security::RegistryTokenVerifier token_verifier() const {
    return {{{ca}, issuer, audience}, *clock_};
  }
  security::MetadataSigner metadata() const { return {metadata_signer(), issuer, *clock_}; }
  security::MetadataVerifier metadata_verifier() const { return {{{ca}, issuer}, *clock_}; }

 private:
  const Clock* clock_;
  SystemRandom random_;

 public:
  std::string issuer;
  std::string audience;
  security::RegistryPki pki;
  crypto::Certificate ca;
};

/// A server certificate for 127.0.0.1 and localhost, and the CA that a client must trust.
struct TestServerIdentity {
  security::PemIdentity identity;
  std::string roots_pem;
};
inline TestServerIdentity make_server_identity(const Clock& clock) {
  SystemRandom random;
  const auto ca = security::create_server_ca("test", clock.wall(), random);
  const security::ServerNames names{{"localhost"}, {"127.0.0.1", "::1"}};
  return {security::issue_server(ca, names, clock.wall(), std::chrono::hours(24), random).value(),
          ca.chain_pem};
}

}  // namespace convoy::test
