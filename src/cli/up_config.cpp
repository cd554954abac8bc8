#include <fmt/format.h>

#include "cli/up_site.hpp"

namespace convoy::cli {

namespace {

constexpr const char* kNotice =
    "# Written by `convoy up` at each start: changes here are lost.\n\n";

/// Connections leave from the address listened on, so that both ends agree on it.
std::string bind_line(const UpPlan& plan) {
  if (plan.local_ip() != plan.listen_ip) return {};
  return "bind_ip = \"" + plan.listen_ip + "\"\n";
}

std::string address(const std::string& ip, std::uint16_t port) {
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

}  // namespace

std::string up_registry_config(const UpPlan& plan) {
  return kNotice + fmt::format(R"([registry]
data_dir = "registry"
listen = "{listen}"
users_file = "pki/registry/users"

[registry.tls]
cert_file = "pki/registry/server.pem"
key_file = "pki/registry/server.key"

[registry.tokens]
cert_file = "pki/registry/token.pem"
key_file = "pki/registry/token.key"
roots_file = "pki/registry/token-ca.pem"

[registry.metadata]
cert_file = "pki/registry/metadata.pem"
key_file = "pki/registry/metadata.key"

[[registry.grant]]
repositories = ["**"]
actions = ["*"]
users = ["convoy"]

[[registry.grant]]
repositories = ["**"]
actions = ["pull"]
users = ["nodes"]

[[registry.cluster]]
name = "local"
trust_domain = "convoy.local"
roots_file = "pki/registry/cluster-root.pem"
registry_host = "{host}"
tracker_url = "https://{tracker}"
tracker_roots_file = "pki/registry/service-ca.pem"
join_token_file = "pki/registry/join-token"
peer_listen = "{peers}"
{bind})",
                               fmt::arg("listen", address(plan.listen_ip, plan.registry_port)),
                               fmt::arg("host", plan.image_host()),
                               fmt::arg("tracker", address(plan.local_ip(), plan.tracker_port)),
                               fmt::arg("peers", address(plan.listen_ip, plan.origin_peer_port)),
                               fmt::arg("bind", bind_line(plan)));
}

std::string up_tracker_config(const UpPlan& plan) {
  return kNotice + fmt::format(R"([tracker]
cluster = "local"
trust_domain = "convoy.local"
listen = "{listen}"
join_tokens_file = "pki/tracker/join-tokens.json"

[tracker.tls]
cert_file = "pki/tracker/server.pem"
key_file = "pki/tracker/server.key"

[tracker.ca]
root_file = "pki/tracker/cluster-root.pem"
cert_file = "pki/tracker/ca.pem"
key_file = "pki/tracker/ca.key"

[tracker.tickets]
cert_file = "pki/tracker/ticket.pem"
key_file = "pki/tracker/ticket.key"

[tracker.client]
cert_file = "pki/tracker/client.pem"
key_file = "pki/tracker/client.key"

[[tracker.registry]]
host = "{host}"
url = "https://{registry}"
tls_roots_file = "pki/tracker/service-ca.pem"
token_roots_file = "pki/tracker/token-ca.pem"
)",
                               fmt::arg("listen", address(plan.listen_ip, plan.tracker_port)),
                               fmt::arg("host", plan.image_host()),
                               fmt::arg("registry", address(plan.local_ip(), plan.registry_port)));
}

std::string up_agent_config(const UpPlan& plan) {
  return kNotice +
         fmt::format(R"([agent]
data_dir = "agent"
node_name = "local"

[agent.tracker]
url = "https://{tracker}"
roots_file = "pki/agent/service-ca.pem"
join_token_file = "pki/agent/join-token"

[agent.mirror]
listen = "127.0.0.1:{mirror}"

[agent.proxy]
listen = "127.0.0.1:{proxy}"

[agent.peers]
listen = "{peers}"
{bind}
[[agent.registry]]
host = "{host}"
url = "https://{registry}"
roots_file = "pki/agent/service-ca.pem"
user = "nodes"
password_file = "pki/agent/password"
default = true
)",
                     fmt::arg("tracker", address(plan.local_ip(), plan.tracker_port)),
                     fmt::arg("mirror", plan.mirror_port), fmt::arg("proxy", plan.proxy_port),
                     fmt::arg("peers", address(plan.listen_ip, plan.agent_peer_port)),
                     fmt::arg("bind", bind_line(plan)), fmt::arg("host", plan.image_host()),
                     fmt::arg("registry", address(plan.local_ip(), plan.registry_port)));
}

}  // namespace convoy::cli
