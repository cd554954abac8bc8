#include "agent/upstream.hpp"

#include <algorithm>

#include "wire/http/headers.hpp"

namespace convoy::agent {
namespace {

// A registry may hash and sync a layer of many gigabytes before it answers the closing PUT.
constexpr Duration kPassedOnSilence = std::chrono::minutes(10);

Result<http::Url> base_of(const AgentRegistry& registry) {
  auto url = http::parse_url(registry.base_url);
  if (!url) return invalid("agent_option_invalid", "registry " + registry.host + ": base URL");
  if (!url->tls && !registry.allow_http) {
    return invalid("agent_option_invalid",
                   "registry " + registry.host + ": http: needs allow_http = true");
  }
  if (url->target != "/") {
    return invalid("agent_option_invalid", "registry " + registry.host + ": URL with a path");
  }
  return url;
}

Result<std::shared_ptr<net::HttpClient>> http_client(net::Executor executor,
                                                     const AgentRegistry& registry,
                                                     Duration silence) {
  net::TlsClientOptions tls;
  tls.roots_pem = registry.roots_pem;
  auto context = net::TlsClientContext::make(std::move(tls));
  if (!context) return std::move(context).error().with("registry " + registry.host);
  net::HttpClientOptions options;
  options.tls = std::move(*context);
  options.idle_timeout = silence;
  return std::make_shared<net::HttpClient>(executor, std::move(options));
}

Result<UpstreamPtr> make_upstream(net::Executor executor, const AgentRegistry& registry,
                                  Duration silence, const Clock& clock) {
  auto host = oci::RegistryHost::parse(registry.host);
  if (!host) return invalid("agent_option_invalid", "registry host \"" + registry.host + "\"");
  auto base = base_of(registry);
  if (!base) return std::move(base).error();
  auto quick = http_client(executor, registry, silence);
  if (!quick) return std::move(quick).error();
  auto patient = http_client(executor, registry, kPassedOnSilence);
  if (!patient) return std::move(patient).error();
  std::optional<clients::RegistryCredential> credential;
  if (!registry.user.empty()) {
    credential = clients::RegistryCredential{registry.user, registry.password};
  }
  std::shared_ptr<clients::RegistryClient> client =
      clients::make_registry_client(std::move(*quick), *base, registry.token_hosts, clock);
  Upstream upstream{std::move(*host), std::move(*base), std::move(credential), std::move(client),
                    std::move(*patient)};
  return UpstreamPtr(std::make_shared<const Upstream>(std::move(upstream)));
}

}  // namespace

bool Upstream::answers_to(std::string_view name, std::uint16_t port) const {
  if (http::iequals(name, host.host()) && port == host.port()) return true;
  return http::iequals(name, base.host) && port == base.port;
}

std::vector<std::string> Upstream::host_names() const {
  std::vector<std::string> names{host.host()};
  if (!http::iequals(base.host, names.front())) names.push_back(base.host);
  return names;
}

Result<Upstreams> Upstreams::make(net::Executor executor,
                                  const std::vector<AgentRegistry>& registries, Duration silence,
                                  const Clock& clock) {
  Upstreams out;
  for (const auto& registry : registries) {
    auto upstream = make_upstream(executor, registry, silence, clock);
    if (!upstream) return std::move(upstream).error();
    if (out.by_namespace((*upstream)->host.str()) != nullptr) {
      return invalid("agent_option_invalid", "registry " + registry.host + " stands twice");
    }
    if (registry.is_default) {
      if (out.default_) return invalid("agent_option_invalid", "two default registries");
      out.default_ = *upstream;
    }
    out.all_.push_back(std::move(*upstream));
  }
  return out;
}

UpstreamPtr Upstreams::by_namespace(std::string_view ns) const {
  if (ns.empty()) return default_;
  const auto host = oci::RegistryHost::parse(ns);
  if (!host) return nullptr;
  const auto it = std::find_if(all_.begin(), all_.end(),
                               [&](const UpstreamPtr& u) { return u->host == *host; });
  return it == all_.end() ? nullptr : *it;
}

UpstreamPtr Upstreams::by_authority(std::string_view host, std::uint16_t port) const {
  const auto it = std::find_if(all_.begin(), all_.end(),
                               [&](const UpstreamPtr& u) { return u->answers_to(host, port); });
  return it == all_.end() ? nullptr : *it;
}

}  // namespace convoy::agent
