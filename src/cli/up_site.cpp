#include "cli/up_site.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "cli/client_setup.hpp"
#include "cli/files.hpp"
#include "cli/pki_folder.hpp"
#include "crypto/password.hpp"
#include "security/ca/join_token.hpp"
#include "security/ca/server_pki.hpp"

namespace convoy::cli {

namespace {

constexpr std::chrono::hours kServerLifetime{24 * 365};
constexpr unsigned kPrivate = 0600;
constexpr unsigned kPublic = 0644;

std::vector<std::string> further_names(const UpPlan& plan) {
  std::vector<std::string> out = {"127.0.0.1", "localhost"};
  if (plan.local_ip() != out.front()) out.push_back(plan.local_ip());
  return out;
}

Result<bool> make_keys(const UpPlan& plan, const Clock& clock, Random& random) {
  const std::string folder = plan.data + "/pki";
  // README.txt is written last: without it an earlier start was cut short.
  if (exists(folder + "/README.txt")) return false;
  PkiPlan pki;
  pki.folder = folder;
  pki.cluster = "local";
  pki.trust_domain = "convoy.local";
  pki.registry = {plan.host, plan.registry_port, further_names(plan)};
  pki.tracker = {plan.local_ip(), plan.tracker_port, further_names(plan)};
  if (Status made = create_pki_folder(pki, clock, random); !made) return std::move(made).error();
  return true;
}

/// Server certificates anew at each start: the names may have changed, the old one run out.
Status issue_servers(const UpPlan& plan, const Clock& clock, Random& random) {
  auto chain = read_file(plan.data + "/pki/offline/service-ca.pem");
  if (!chain) return std::move(chain).error();
  auto key = read_file(plan.data + "/pki/offline/service-ca.key");
  if (!key) return std::move(key).error();
  const security::PemIdentity ca{std::move(chain).value(), Secret(std::move(key).value())};
  security::ServerNames names;
  names.dns = {plan.host, "localhost"};
  names.ips = {"127.0.0.1"};
  if (plan.local_ip() != names.ips.front()) names.ips.push_back(plan.local_ip());
  for (const char* role : {"registry", "tracker"}) {
    auto server = security::issue_server(ca, names, clock.wall(), kServerLifetime, random);
    if (!server) return std::move(server).error();
    const std::string base = plan.data + "/pki/" + role + "/server";
    if (Status s = write_file(base + ".key", server->key_pem.reveal(), kPrivate); !s) return s;
    if (Status s = write_file(base + ".pem", server->chain_pem, kPublic); !s) return s;
  }
  return {};
}

Status make_users(const UpPlan& plan, Random& random) {
  if (exists(plan.data + "/password")) return {};
  const Secret own(random.hex(16));
  const Secret nodes(random.hex(16));
  const std::string users = std::string(kUpUser) + ":" + crypto::hash_password(own, random) +
                            "\nnodes:" + crypto::hash_password(nodes, random) + "\n";
  const std::string pki = plan.data + "/pki";
  if (Status s = write_file(pki + "/registry/users", users, kPrivate); !s) return s;
  if (Status s = write_file(pki + "/agent/password", nodes.reveal(), kPrivate); !s) return s;
  return write_file(plan.data + "/password", own.reveal(), kPrivate);
}

/// A fresh token for the seeder and the agent, in case their certificates ran out meanwhile.
Status make_tokens(const UpPlan& plan, const Clock& clock, Random& random) {
  security::FileJoinTokenStore store(plan.data + "/pki/tracker/join-tokens.json");
  auto old = store.list();
  if (!old) return std::move(old).error();
  for (const security::JoinTokenRecord& record : *old) {
    if (Status removed = store.remove(record.id); !removed) return removed;
  }
  const std::array<std::pair<security::NodeKind, const char*>, 2> wanted = {{
      {security::NodeKind::origin, "/pki/registry/join-token"},
      {security::NodeKind::node, "/pki/agent/join-token"},
  }};
  for (const auto& [kind, file] : wanted) {
    security::JoinTokenSpec spec;
    spec.kind = kind;
    auto token = security::create_join_token(store, spec, clock.wall(), random);
    if (!token) return std::move(token).error();
    if (Status s = write_file(plan.data + file, token->reveal(), kPrivate); !s) return s;
  }
  return {};
}

Status write_configs(const UpPlan& plan) {
  const std::array<std::pair<const char*, std::string>, 3> files = {{
      {"/registry.toml", up_registry_config(plan)},
      {"/tracker.toml", up_tracker_config(plan)},
      {"/agent.toml", up_agent_config(plan)},
  }};
  for (const auto& [name, text] : files) {
    if (Status s = write_file(plan.data + name, text, kPublic); !s) return s;
  }
  return {};
}

std::string trouble_with(const std::string& ip, std::uint16_t port) {
  const bool v6 = ip.find(':') != std::string::npos;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::strerror(errno);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage where{};
  socklen_t length = 0;
  if (v6) {
    auto* in = reinterpret_cast<sockaddr_in6*>(&where);
    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    ::inet_pton(AF_INET6, ip.c_str(), &in->sin6_addr);
    length = sizeof(sockaddr_in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&where);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    ::inet_pton(AF_INET, ip.c_str(), &in->sin_addr);
    length = sizeof(sockaddr_in);
  }
  const bool free =
      ::bind(fd, reinterpret_cast<const sockaddr*>(&where), length) == 0 && ::listen(fd, 1) == 0;
  const int why = errno;
  ::close(fd);
  return free ? "" : std::strerror(why);
}

}  // namespace

std::string UpPlan::local_ip() const {
  if (listen_ip == "0.0.0.0") return "127.0.0.1";
  return listen_ip == "::" ? "::1" : listen_ip;
}

std::string UpPlan::image_host() const { return host + ":" + std::to_string(registry_port); }

Result<bool> prepare_up(const UpPlan& plan, const Clock& clock, Random& random) {
  if (Status made = make_folder(plan.data); !made) return std::move(made).error();
  auto fresh = make_keys(plan, clock, random);
  if (!fresh) return std::move(fresh).error();
  if (Status s = issue_servers(plan, clock, random); !s) return std::move(s).error();
  if (Status s = make_users(plan, random); !s) return std::move(s).error();
  if (Status s = make_tokens(plan, clock, random); !s) return std::move(s).error();
  if (Status s = write_configs(plan); !s) return std::move(s).error();
  if (Status s = write_client_files(plan); !s) return std::move(s).error();
  return *fresh;
}

std::vector<std::string> ports_in_use(const UpPlan& plan) {
  struct Place {
    const char* what;
    std::string ip;
    std::uint16_t port;
    const char* option;
  };
  const std::array<Place, 7> places = {{
      {"registry", plan.listen_ip, plan.registry_port, "--registry-port"},
      {"tracker", plan.listen_ip, plan.tracker_port, "--tracker-port"},
      {"mirror", "127.0.0.1", plan.mirror_port, "--mirror-port"},
      {"proxy", "127.0.0.1", plan.proxy_port, "--proxy-port"},
      {"agent's peers", plan.listen_ip, plan.agent_peer_port, "--peer-port"},
      {"registry's peers", plan.listen_ip, plan.origin_peer_port, "--origin-port"},
      {"operations", "127.0.0.1", plan.ops_port, "--ops-port"},
  }};
  std::vector<std::string> out;
  for (const Place& place : places) {
    if (place.port == 0) continue;
    const std::string trouble = trouble_with(place.ip, place.port);
    if (trouble.empty()) continue;
    out.push_back(place.ip + " port " + std::to_string(place.port) + " (" + place.what +
                  "): " + trouble + "; choose another with " + place.option);
  }
  return out;
}

}  // namespace convoy::cli
