#include "cli/starter_config.hpp"

#include <fmt/format.h>

namespace convoy::cli {

std::string starter_registry_config(const PkiPlan& plan) {
  return fmt::format(
      R"(# convoy registry --config registry.toml     every key: convoy config reference registry

[registry]
data_dir = "data"
listen = "0.0.0.0:{port}"
users_file = "users"

[registry.tls]
cert_file = "server.pem"
key_file = "server.key"

[registry.tokens]
cert_file = "token.pem"
key_file = "token.key"
roots_file = "token-ca.pem"

[registry.metadata]
cert_file = "metadata.pem"
key_file = "metadata.key"

# Whatever no grant allows is refused. "*" is every user of the file, "anonymous" everybody.
[[registry.grant]]
repositories = ["**"]
actions = ["pull", "push"]
users = ["*"]

[[registry.cluster]]
name = "{cluster}"
trust_domain = "{trust_domain}"
roots_file = "cluster-root.pem"
registry_host = "{host}"
tracker_url = "{tracker}"
tracker_roots_file = "service-ca.pem"
join_token_file = "./join-token"
)",
      fmt::arg("port", plan.registry.port), fmt::arg("cluster", plan.cluster),
      fmt::arg("trust_domain", plan.trust_domain), fmt::arg("host", plan.registry.authority()),
      fmt::arg("tracker", plan.tracker.url()));
}

std::string starter_tracker_config(const PkiPlan& plan) {
  return fmt::format(
      R"(# convoy tracker --config tracker.toml     every key: convoy config reference tracker

[tracker]
cluster = "{cluster}"
trust_domain = "{trust_domain}"
listen = "0.0.0.0:{port}"
join_tokens_file = "join-tokens.json"

[tracker.tls]
cert_file = "server.pem"
key_file = "server.key"

[tracker.ca]
root_file = "cluster-root.pem"
cert_file = "ca.pem"
key_file = "ca.key"

[tracker.tickets]
cert_file = "ticket.pem"
key_file = "ticket.key"

[tracker.client]
cert_file = "client.pem"
key_file = "client.key"

[[tracker.registry]]
host = "{host}"
url = "{registry}"
tls_roots_file = "service-ca.pem"
token_roots_file = "token-ca.pem"
)",
      fmt::arg("port", plan.tracker.port), fmt::arg("cluster", plan.cluster),
      fmt::arg("trust_domain", plan.trust_domain), fmt::arg("host", plan.registry.authority()),
      fmt::arg("registry", plan.registry.url()));
}

std::string starter_agent_config(const PkiPlan& plan) {
  return fmt::format(
      R"(# convoy agent --config agent.toml     every key: convoy config reference agent

[agent]
data_dir = "data"

[agent.tracker]
url = "{tracker}"
roots_file = "service-ca.pem"
join_token_file = "./join-token"

[[agent.registry]]
host = "{host}"
url = "{registry}"
roots_file = "service-ca.pem"
default = true
# Engines show a mirror no credential. With a user of its own the node may pull for them;
# without one it pulls what is open to everybody.
#user = "nodes"
#password_file = "./password"
)",
      fmt::arg("tracker", plan.tracker.url()), fmt::arg("host", plan.registry.authority()),
      fmt::arg("registry", plan.registry.url()));
}

}  // namespace convoy::cli
