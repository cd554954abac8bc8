#include "tracker/authority/registries.hpp"

#include "net/http_client.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::tracker {
namespace {

Error bad(const TrackerRegistry& registry, const Error& cause) {
  return invalid("tracker_registry_invalid", registry.host + ": " + cause.text());
}

std::shared_ptr<net::HttpClient> http_client(net::Executor executor,
                                             std::shared_ptr<net::TlsClientContext> tls) {
  net::HttpClientOptions options;
  options.tls = std::move(tls);
  options.max_idle_per_host = 32;
  return std::make_shared<net::HttpClient>(executor, std::move(options));
}

Result<std::unique_ptr<Registry>> open(net::Executor executor, const TrackerRegistry& config,
                                       const net::TlsIdentity& client, const Clock& clock) {
  auto host = oci::RegistryHost::parse(config.host);
  if (!host) return bad(config, host.error());
  if (config.issuer.empty()) return bad(config, invalid("issuer_missing"));
  const std::string& metadata_pem =
      config.metadata_roots_pem.empty() ? config.token_roots_pem : config.metadata_roots_pem;
  auto metadata_roots = crypto::Certificate::chain_from_pem(metadata_pem);
  if (!metadata_roots) return bad(config, metadata_roots.error());

  std::optional<security::RegistryTokenVerifier> tokens;
  if (!config.token_roots_pem.empty()) {
    auto roots = crypto::Certificate::chain_from_pem(config.token_roots_pem);
    if (!roots) return bad(config, roots.error());
    if (config.audience.empty()) return bad(config, invalid("audience_missing"));
    security::RegistryTokenTrust trust{std::move(*roots), config.issuer, config.audience};
    tokens.emplace(std::move(trust), clock);
  }
  net::TlsClientOptions plain;
  plain.roots_pem = config.tls_roots_pem;
  net::TlsClientOptions own = plain;
  own.identity = client;
  auto blobs_tls = net::TlsClientContext::make(std::move(plain));
  if (!blobs_tls) return bad(config, blobs_tls.error());
  auto metadata_tls = net::TlsClientContext::make(std::move(own));
  if (!metadata_tls) return bad(config, metadata_tls.error());

  security::MetadataTrust trust{std::move(*metadata_roots), config.issuer};
  return std::make_unique<Registry>(Registry{
      host->str(),
      config.issuer,
      config.origin_name,
      metadata_pem,
      std::move(tokens),
      security::MetadataVerifier(std::move(trust), clock),
      clients::make_registry_client(http_client(executor, *blobs_tls), config.base, {}, clock),
      clients::make_registry_metadata_client(http_client(executor, *metadata_tls), config.base),
      *metadata_tls,
  });
}

}  // namespace

Result<Registries> Registries::make(net::Executor executor,
                                    const std::vector<TrackerRegistry>& configs,
                                    const net::TlsIdentity& client, const Clock& clock) {
  Registries out;
  for (const TrackerRegistry& config : configs) {
    auto registry = open(executor, config, client, clock);
    if (!registry) return std::move(registry).error();
    std::string host = (*registry)->host;
    if (!out.by_host_.emplace(std::move(host), std::move(*registry)).second) {
      return bad(config, invalid("registry_twice"));
    }
  }
  return out;
}

const Registry* Registries::find(const std::string& host) const {
  const auto it = by_host_.find(host);
  return it == by_host_.end() ? nullptr : it->second.get();
}

Status Registries::replace_identity(const net::TlsIdentity& client) {
  for (auto& [host, registry] : by_host_) {
    auto replaced = registry->metadata_tls->replace_identity(client);
    if (!replaced) return replaced;
  }
  return {};
}

std::vector<clients::RegistryTrust> Registries::trust() const {
  std::vector<clients::RegistryTrust> out;
  for (const auto& [host, registry] : by_host_) {
    out.push_back({host, registry->issuer, registry->metadata_roots_pem});
  }
  return out;
}

}  // namespace convoy::tracker
