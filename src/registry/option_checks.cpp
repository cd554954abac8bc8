#include "registry/option_checks.hpp"

#include <algorithm>

#include "registry/core/memory_use.hpp"

namespace convoy::registry {
namespace {

/// Of one client under load: an image asks for less, and it is little beside what all ask.
constexpr RateLimit kShare{20, 100};
constexpr std::size_t kMinTokenSeconds = 60;  // clients of token authentication raise less to it

std::vector<crypto::Certificate> token_roots(const RegistryOptions& options) {
  if (!options.token_roots.empty()) return options.token_roots;
  return {options.token_signer->chain.back()};
}

}  // namespace

security::RegistryTokenVerifier make_verifier(const RegistryOptions& options, const Clock& clock) {
  return security::RegistryTokenVerifier({token_roots(options), options.issuer, options.service},
                                         clock);
}

Admission::Limits admission_limits(const RegistryOptions& options) {
  Admission::Limits out{options.limits.address_requests, options.limits.user_requests,
                        options.load};
  out.share = kShare;
  if (out.load.memory == 0) out.load.memory = cgroup_memory_limit().value_or(0);
  return out;
}

Duration pull_turn(const RegistryOptions& options) {
  Duration turn = std::chrono::minutes(10);
  const Duration age = options.upkeep.rules.untagged_age;
  if (age > Duration::zero()) turn = std::min(turn, age / 4);
  for (const auto& project : options.projects) {
    for (const auto& rule : project.retention) {
      if (rule.keep_pulled) turn = std::min(turn, *rule.keep_pulled / 4);
    }
  }
  return turn;
}

Status check_options(const RegistryOptions& options) {
  if (options.data_dir.empty()) return invalid("option_invalid", "data_dir is empty");
  if (!options.users) return invalid("option_invalid", "users are missing");
  if (options.issuer.empty() || options.service.empty()) {
    return invalid("option_invalid", "issuer or service is empty");
  }
  if (options.token_lifetime < std::chrono::seconds(kMinTokenSeconds)) {
    return invalid("option_invalid", "token_lifetime is below 60 s");
  }
  if (!options.clusters.empty() && !options.tls) {
    return invalid("option_invalid", "clusters need TLS: trackers show a client certificate");
  }
  return {};
}

Status check_signers(const RegistryOptions& options, const Clock& clock, Random& random) {
  if (!options.token_signer || options.token_signer->chain.empty()) {
    return invalid("option_invalid", "token_signer is missing");
  }
  if (!options.metadata_signer || options.metadata_signer->chain.empty()) {
    return invalid("option_invalid", "metadata_signer is missing");
  }
  const security::RegistryTokenIssuer issuer(*options.token_signer, options.issuer, options.service,
                                             options.token_lifetime, clock, random);
  auto token = make_verifier(options, clock).verify(issuer.issue("", {}).token);
  if (!token) {
    return invalid("option_invalid", "token_signer: " + token.error().text());
  }
  const bt::BlobMeta meta{.digest = oci::Digest::sha256({}),
                          .size = 1,
                          .piece_length = bt::choose_piece_length(1),
                          .pieces_root = {}};
  const security::MetadataSigner signer(*options.metadata_signer, options.issuer, clock);
  const security::MetadataVerifier verifier({token_roots(options), options.issuer}, clock);
  auto statement = verifier.verify(signer.sign(meta), meta.digest);
  if (!statement) {
    return invalid("option_invalid", "metadata_signer: " + statement.error().text());
  }
  return {};
}

Result<std::vector<ClusterTrust>> cluster_trust(const RegistryOptions& options) {
  std::vector<ClusterTrust> out;
  for (const auto& cluster : options.clusters) {
    auto roots = crypto::Certificate::chain_from_pem(cluster.roots_pem);
    if (!roots) return invalid("option_invalid", "cluster " + cluster.name + ": roots");
    out.push_back({cluster.name, cluster.trust_domain, std::move(*roots)});
  }
  return out;
}

std::string event_source(const RegistryOptions& options) {
  return options.public_url.value_or(http::percent_encode(options.service));
}

Result<std::shared_ptr<net::TlsServerContext>> make_tls(const RegistryOptions& options) {
  if (!options.tls) return std::shared_ptr<net::TlsServerContext>();
  net::TlsServerOptions tls;
  tls.identity = *options.tls;
  tls.kernel_sends = options.kernel_tls;
  for (const auto& cluster : options.clusters) {
    tls.client_certificate = net::PeerCertificate::optional;
    tls.client_roots_pem += cluster.roots_pem;
    if (!tls.client_roots_pem.ends_with('\n')) tls.client_roots_pem += '\n';
  }
  return net::TlsServerContext::make(std::move(tls));
}

}  // namespace convoy::registry
