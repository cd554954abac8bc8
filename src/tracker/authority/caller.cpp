#include "tracker/authority/caller.hpp"

namespace convoy::tracker {

std::string plain_ip(std::string_view ip) {
  constexpr std::string_view kMapped = "::ffff:";
  if (ip.starts_with(kMapped) && ip.find('.') != std::string_view::npos) {
    ip.remove_prefix(kMapped.size());
  }
  return std::string(ip);
}

Result<Caller> identify(const std::optional<net::TlsInfo>& tls, const net::Endpoint& remote,
                        const ClusterIdentity& cluster, UnixTime now) {
  if (!tls || tls->peer_chain.empty()) return unauthorized("certificate_required");
  std::vector<crypto::Certificate> chain;
  for (const Bytes& der : tls->peer_chain) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) return unauthorized("certificate_invalid", certificate.error().detail());
    chain.push_back(std::move(*certificate));
  }
  const crypto::Certificate leaf = chain.front();
  chain.erase(chain.begin());
  auto verified = crypto::verify_chain(leaf, chain, cluster.roots, crypto::CertUse::node, now);
  if (!verified) return std::move(verified).error();
  auto id = security::spiffe_of(leaf);
  if (!id) return std::move(id).error();
  if (id->trust_domain != cluster.trust_domain || id->cluster != cluster.cluster) {
    return denied("identity_wrong_cluster", id->str());
  }
  if (id->kind == security::NodeKind::tracker) return denied("identity_wrong_kind", id->str());
  std::string node = id->str();
  return Caller{std::move(*id), std::move(node), leaf, plain_ip(remote.ip)};
}

}  // namespace convoy::tracker
