#include "cli/pki_folder.hpp"

#include <arpa/inet.h>
#include <filesystem>
#include <utility>

#include "cli/files.hpp"
#include "cli/starter_config.hpp"
#include "security/ca/authority.hpp"
#include "security/ca/server_pki.hpp"
#include "security/token/token_pki.hpp"

namespace convoy::cli {

namespace {

constexpr std::chrono::hours kServerLifetime{24 * 365};
constexpr unsigned kPrivate = 0600;
constexpr unsigned kPublic = 0644;

bool is_ip(const std::string& text) {
  in6_addr ignored{};
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

security::ServerNames names_of(const ServerPlace& place) {
  security::ServerNames names;
  std::vector<std::string> all = place.also;
  all.insert(all.begin(), place.host);
  for (std::string& name : all) (is_ip(name) ? names.ips : names.dns).push_back(std::move(name));
  return names;
}

/// Writes files below one folder until the first error, which it keeps.
class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)) {}

  void folder(const std::string& name) {
    if (status_.ok()) status_ = make_folder(folder_ + "/" + name);
  }
  void open(const std::string& name, std::string_view text) { write(name, text, kPublic); }
  void secret(const std::string& name, std::string_view text) { write(name, text, kPrivate); }
  void pair(const std::string& name, const security::PemIdentity& identity) {
    open(name + ".pem", identity.chain_pem);
    secret(name + ".key", identity.key_pem.reveal());
  }
  Status status() const { return status_; }

 private:
  void write(const std::string& name, std::string_view text, unsigned mode) {
    if (status_.ok()) status_ = write_file(folder_ + "/" + name, text, mode);
  }
  std::string folder_;
  Status status_;
};

struct AllKeys {
  security::ClusterPki cluster;
  security::RegistryPki registry;
  security::PemIdentity service_ca;
  security::PemIdentity registry_server;
  security::PemIdentity tracker_server;
};

Result<AllKeys> make_keys(const PkiPlan& plan, UnixTime now, Random& random) {
  auto cluster = security::create_cluster_pki(plan.trust_domain, plan.cluster, now, random);
  if (!cluster) return std::move(cluster).error();
  AllKeys keys;
  keys.cluster = std::move(cluster).value();
  keys.registry = security::create_registry_pki(plan.registry.host, now, random);
  keys.service_ca = security::create_server_ca("Convoy services of " + plan.cluster, now, random);
  auto registry = security::issue_server(keys.service_ca, names_of(plan.registry), now,
                                         kServerLifetime, random);
  if (!registry) return std::move(registry).error();
  keys.registry_server = std::move(registry).value();
  auto tracker =
      security::issue_server(keys.service_ca, names_of(plan.tracker), now, kServerLifetime, random);
  if (!tracker) return std::move(tracker).error();
  keys.tracker_server = std::move(tracker).value();
  return keys;
}

void write_offline(Writer& out, const AllKeys& keys) {
  out.folder("offline");
  out.pair("offline/cluster-root", keys.cluster.root);
  out.pair("offline/token-ca", keys.registry.token_ca);
  out.pair("offline/service-ca", keys.service_ca);
}

void write_trust(Writer& out, const std::string& folder, const AllKeys& keys) {
  out.folder(folder);
  out.open(folder + "/service-ca.pem", keys.service_ca.chain_pem);
}

void write_registry(Writer& out, const AllKeys& keys, const PkiPlan& plan) {
  write_trust(out, "registry", keys);
  out.pair("registry/server", keys.registry_server);
  out.pair("registry/token", keys.registry.token_signer);
  out.pair("registry/metadata", keys.registry.metadata_signer);
  out.open("registry/token-ca.pem", keys.registry.token_ca.chain_pem);
  out.open("registry/cluster-root.pem", keys.cluster.root.chain_pem);
  out.secret("registry/users",
             "# One user a line, name:hash. Make a line with: convoy user hash --name NAME\n");
  out.open("registry/registry.toml", starter_registry_config(plan));
}

void write_tracker(Writer& out, const AllKeys& keys, const PkiPlan& plan) {
  write_trust(out, "tracker", keys);
  out.pair("tracker/server", keys.tracker_server);
  out.pair("tracker/ca", keys.cluster.issuing);
  out.pair("tracker/ticket", keys.cluster.ticket_signer);
  out.pair("tracker/client", keys.cluster.tracker);
  out.open("tracker/cluster-root.pem", keys.cluster.root.chain_pem);
  out.open("tracker/token-ca.pem", keys.registry.token_ca.chain_pem);
  out.open("tracker/tracker.toml", starter_tracker_config(plan));
}

void write_agent(Writer& out, const AllKeys& keys, const PkiPlan& plan) {
  write_trust(out, "agent", keys);
  out.open("agent/agent.toml", starter_agent_config(plan));
}

Status refuse_if_used(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return {};
  if (std::filesystem::is_directory(folder, error) && std::filesystem::is_empty(folder, error)) {
    return {};
  }
  return conflict("folder_not_empty", folder + ": keys are never written over others");
}

}  // namespace

std::string ServerPlace::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ServerPlace::url() const { return "https://" + authority(); }

Status create_pki_folder(const PkiPlan& plan, const Clock& clock, Random& random) {
  if (Status fit = refuse_if_used(plan.folder); !fit) return fit;
  Result<AllKeys> keys = make_keys(plan, clock.wall(), random);
  if (!keys) return std::move(keys).error();
  if (Status made = make_folder(plan.folder); !made) return made;
  Writer out(plan.folder);
  write_offline(out, *keys);
  write_registry(out, *keys, plan);
  write_tracker(out, *keys, plan);
  write_agent(out, *keys, plan);
  out.open("README.txt", pki_readme(plan));
  return out.status();
}

std::string pki_readme(const PkiPlan& plan) {
  return "Keys and starting configurations of the cluster " + plan.cluster + " (trust domain " +
         plan.trust_domain + ")\n" + R"(
Each folder goes to one kind of machine. *.key and the file of users are secrets, mode 0600.

offline/    Private keys of the three CAs. Needed only to renew what is below them: take
            them away from here, to an encrypted medium.
  cluster-root   the root that every node of the cluster trusts; in each torrent's info-hash
  token-ca       above the registry's token and metadata signers
  service-ca     above the two server certificates; leave it out and replace server.pem and
                 server.key when you have certificates of your own

registry/   for the machine of `convoy registry`
  registry.toml  start with: convoy registry --config registry.toml
  server         HTTPS certificate and key
  token          signs the tokens of docker login, push and pull
  metadata       signs what a blob's torrent is made of
  users          who may log in
  token-ca.pem, cluster-root.pem, service-ca.pem     what it trusts

tracker/    for the machine of `convoy tracker`
  tracker.toml   start with: convoy tracker --config tracker.toml
  server         HTTPS certificate and key
  ca             the issuing CA: signs the certificates of nodes
  ticket         signs tickets
  client         what the tracker shows the registry
  cluster-root.pem, token-ca.pem, service-ca.pem     what it trusts
  join-tokens.json   made by `convoy node token create`: hashes only

agent/      for every node
  agent.toml     start with: convoy agent --config agent.toml
  service-ca.pem what it trusts; also what Docker, containerd and podman must trust

First start, in this order

  1. A join token for the registry's origin seeder and one for each node, on the tracker:
       convoy node token create --join-file tracker/join-tokens.json --kind origin > registry/join-token
       convoy node token create --join-file tracker/join-tokens.json > agent/join-token
  2. A user:   convoy user hash --name ann >> registry/users
               and a password for the nodes' own user: see agent.toml
  3. convoy tracker --config tracker/tracker.toml
     convoy registry --config registry/registry.toml
     convoy agent --config agent/agent.toml

Server, ticket, token, metadata and client certificates are good for one year; the node certificates
renew themselves. `convoy pki show FILE` prints what a certificate says.
)";
}

}  // namespace convoy::cli
