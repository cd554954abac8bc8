#include "security/ca/authority.hpp"

#include <algorithm>

namespace convoy::security {
namespace {

using std::chrono::seconds;

constexpr seconds kDay{24 * 3600};
constexpr seconds kRootLifetime = 3650 * kDay;
constexpr seconds kIssuingLifetime = 1825 * kDay;
constexpr seconds kSignerLifetime = 365 * kDay;
constexpr seconds kMinNodeLifetime{60};

struct Authority {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

crypto::CertSpec spec_of(crypto::CertUse use, std::string common_name, UnixTime now,
                         seconds lifetime) {
  crypto::CertSpec spec;
  spec.common_name = std::move(common_name);
  spec.use = use;
  spec.not_before = now - kBackdate;
  spec.not_after = now + lifetime;
  return spec;
}

PemIdentity pem_of(const crypto::PrivateKey& key, const std::vector<crypto::Certificate>& chain) {
  return {crypto::chain_pem(chain), key.to_pem()};
}

PemIdentity leaf_below(const Authority& ca, const crypto::CertSpec& spec, Random& random) {
  const auto key = crypto::PrivateKey::generate();
  const auto cert = crypto::issue(spec, key.public_key(), ca.certificate, ca.key, random);
  return pem_of(key, {cert, ca.certificate});
}

Authority make_root(const std::string& cluster, UnixTime now, Random& random) {
  auto spec =
      spec_of(crypto::CertUse::ca, "Convoy root " + cluster.substr(0, 40), now, kRootLifetime);
  spec.path_length = 1;
  const auto key = crypto::PrivateKey::generate();
  return {key, crypto::self_sign(spec, key, random)};
}

Authority make_issuing(const Authority& root, const std::string& cluster, UnixTime now,
                       Random& random) {
  const auto spec = spec_of(crypto::CertUse::ca, "Convoy issuing " + cluster.substr(0, 40), now,
                            kIssuingLifetime);
  const auto key = crypto::PrivateKey::generate();
  return {key, crypto::issue(spec, key.public_key(), root.certificate, root.key, random)};
}

Error bad_authority(std::string detail) { return invalid("authority_invalid", std::move(detail)); }

}  // namespace

Result<ClusterPki> create_cluster_pki(std::string_view trust_domain, std::string_view cluster,
                                      UnixTime now, Random& random, std::string_view tracker_name) {
  const auto id = SpiffeId::make(trust_domain, cluster, NodeKind::tracker, tracker_name);
  if (!id) return id.error();
  const Authority root = make_root(id->cluster, now, random);
  const Authority issuing = make_issuing(root, id->cluster, now, random);
  auto tracker = spec_of(crypto::CertUse::node, "", now, kSignerLifetime);
  tracker.uris = {id->str()};
  auto signer = spec_of(crypto::CertUse::ticket_signer,
                        "Convoy ticket signer " + id->cluster.substr(0, 40), now, kSignerLifetime);
  return ClusterPki{pem_of(root.key, {root.certificate}),
                    pem_of(issuing.key, {issuing.certificate}), leaf_below(issuing, signer, random),
                    leaf_below(issuing, tracker, random)};
}

Result<ClusterAuthority> ClusterAuthority::make(std::string_view issuing_cert_pem,
                                                const Secret& issuing_key_pem,
                                                std::string_view root_pem, std::string trust_domain,
                                                std::string cluster, const Clock& clock,
                                                Random& random) {
  const auto names = SpiffeId::make(trust_domain, cluster, NodeKind::tracker, "x");
  if (!names) return bad_authority(names.error().detail());
  auto signer = load_signer(issuing_cert_pem, issuing_key_pem);
  if (!signer) return bad_authority("issuing CA: " + signer.error().detail());
  auto root = crypto::Certificate::from_pem(root_pem);
  if (!root) return bad_authority("root: " + root.error().detail());
  const auto& issuing = signer->chain.front();
  const auto good = crypto::verify_chain(issuing, {}, {*root}, crypto::CertUse::ca, clock.wall());
  if (!good) return bad_authority("issuing CA: " + good.error().text());
  return ClusterAuthority(issuing, signer->key, *root, std::move(trust_domain), std::move(cluster),
                          clock, random);
}

Result<IssuedCertificate> ClusterAuthority::issue_node(const SpiffeId& id,
                                                       const crypto::PublicKey& key,
                                                       seconds lifetime) const {
  const auto checked = SpiffeId::make(id.trust_domain, id.cluster, id.kind, id.name);
  if (!checked) return denied("identity_denied", checked.error().detail());
  if (id.trust_domain != trust_domain_ || id.cluster != cluster_) {
    return denied("identity_denied", "another cluster");
  }
  if (id.kind == NodeKind::tracker) return denied("identity_denied", "kind tracker");
  if (lifetime < kMinNodeLifetime || lifetime > kMaxNodeLifetime) {
    return invalid("lifetime_invalid");
  }
  if (auto good = in_force(); !good) return std::move(good).error();
  const UnixTime now = clock_->wall();
  auto spec = spec_of(crypto::CertUse::node, "", now, lifetime);
  spec.not_before = std::max(spec.not_before, issuing_.not_before());
  spec.not_after = std::min(spec.not_after, issuing_.not_after());
  spec.uris = {id.str()};
  auto cert = crypto::issue(spec, key, issuing_, key_, *random_);
  return IssuedCertificate{cert, crypto::chain_pem({cert, issuing_})};
}

Status ClusterAuthority::in_force() const {
  const bool expired = clock_->wall() >= issuing_.not_after();
  return expired ? Status(unavailable("authority_expired")) : Status();
}

UnixTime renew_at(const crypto::Certificate& certificate) {
  const auto begin = certificate.not_before();
  return begin + (certificate.not_after() - begin) / 2;
}

}  // namespace convoy::security
