#include <utility>

#include "wiring/file_loader.hpp"
#include "wiring/load_options.hpp"

namespace convoy::wiring {

namespace {

tracker::TrackerRegistry registry_of(const config::TrackedRegistryConfig& c, const std::string& key,
                                     FileLoader& files) {
  tracker::TrackerRegistry out;
  out.host = c.host.text;
  out.base = *c.url.url;
  out.tls_roots_pem = files.tls_roots(c.tls_roots_file, key + ".tls_roots_file");
  out.token_roots_pem = files.certificates(c.token_roots_file, key + ".token_roots_file");
  out.metadata_roots_pem = files.certificates(c.metadata_roots_file, key + ".metadata_roots_file");
  out.issuer = c.issuer;
  out.audience = c.service;
  out.origin_name = c.origin_name;
  return out;
}

tracker::TrackerLimits limits_of(const config::TrackerConfig::Limits& c) {
  tracker::TrackerLimits out;
  out.max_swarms = c.max_swarms;
  out.max_peers_per_swarm = c.max_peers_per_swarm;
  out.max_grants = c.max_grants;
  out.max_connections = c.max_connections;
  out.connections_per_address = c.connections_per_address;
  out.max_registry_calls = c.max_registry_calls;
  out.node_calls_per_second = static_cast<double>(c.node_calls_per_second);
  out.node_call_burst = static_cast<double>(c.node_call_burst);
  return out;
}

}  // namespace

std::optional<tracker::TrackerOptions> load_tracker(const config::TrackerConfig& c,
                                                    const std::string& folder,
                                                    config::Faults& faults) {
  const std::size_t before = faults.size();
  FileLoader files(folder, faults);
  tracker::TrackerOptions out;
  out.listen = endpoint(c.listen);
  out.server = files.identity(c.tls, "tracker.tls");
  out.cluster = c.cluster.text;
  out.trust_domain = c.trust_domain.text;
  out.root_pem = files.certificates(c.ca.root_file, "tracker.ca.root_file");
  out.issuing_cert_pem = files.certificates(c.ca.cert_file, "tracker.ca.cert_file");
  out.issuing_key_pem = files.private_text(c.ca.key_file, "tracker.ca.key_file");
  out.ticket_chain_pem = files.certificates(c.tickets.cert_file, "tracker.tickets.cert_file");
  out.ticket_key_pem = files.private_text(c.tickets.key_file, "tracker.tickets.key_file");
  out.client = files.identity(c.client, "tracker.client");
  out.join_token_file = files.path(c.join_tokens_file);
  out.node_lifetime = seconds_of(c.node_lifetime);
  out.ticket_lifetime = seconds_of(c.ticket_lifetime);
  out.announce_interval = seconds_of(c.announce_interval);
  out.registry_timeout = seconds_of(c.registry_timeout);
  out.degree = static_cast<std::uint32_t>(c.degree);
  out.limits = limits_of(c.limits);
  for (std::size_t i = 0; i < c.registries.size(); ++i) {
    const std::string key = "tracker.registry[" + std::to_string(i + 1) + "]";
    out.registries.push_back(registry_of(c.registries[i], key, files));
  }
  if (faults.size() != before) return std::nullopt;
  return out;
}

}  // namespace convoy::wiring
