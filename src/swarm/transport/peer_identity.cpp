#include "swarm/transport/peer_identity.hpp"

#include "security/identity/spiffe.hpp"

namespace convoy::swarm {
namespace {

Result<PeerIdentity> identify(const crypto::Certificate& leaf, std::string_view cluster) {
#ifdef CONVOY_TEST_OPEN_GATE
  // Foreign BitTorrent clients in tests have certificates without a SPIFFE id.
  static_cast<void>(cluster);
  return PeerIdentity{"x509:" + to_hex(leaf.thumbprint()), false, leaf};
#else
  const auto id = security::spiffe_of(leaf);
  if (!id) return id.error();
  if (id->cluster != cluster) return denied("peer_wrong_cluster");
  if (id->kind == security::NodeKind::tracker) return denied("peer_wrong_kind");
  return PeerIdentity{id->str(), id->kind == security::NodeKind::origin, leaf};
#endif
}

}  // namespace

Result<PeerIdentity> peer_identity(const net::TlsInfo& tls, std::string_view cluster) {
  if (tls.peer == nullptr) return unauthorized("peer_no_certificate");
  const auto leaf = crypto::Certificate::from_parsed(tls.peer);
  if (!leaf) return leaf.error();
  return identify(*leaf, cluster);
}

Result<std::string> own_identity(std::string_view chain_pem, std::string_view cluster) {
  const auto chain = crypto::Certificate::chain_from_pem(chain_pem);
  if (!chain) return invalid("tls_identity_invalid", chain.error().text());
  auto id = identify(chain->front(), cluster);
  if (!id) return invalid("tls_identity_invalid", id.error().text());
  return id->node;
}

}  // namespace convoy::swarm
