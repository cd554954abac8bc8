#include <unistd.h>
#include <utility>

#include "config/users_file.hpp"
#include "crypto/password.hpp"
#include "wiring/file_loader.hpp"
#include "wiring/load_options.hpp"

namespace convoy::wiring {

namespace {

std::string host_name(FileLoader& files) {
  char buffer[256] = {};
  std::string out = ::gethostname(buffer, sizeof buffer - 1) == 0 ? buffer : "";
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  config::Node node;
  node.kind = config::Node::Kind::text;
  node.text = out;
  if (std::holds_alternative<config::Name>(config::Codec<config::Name>::read(node))) return out;
  files.fault("agent.node_name", "is missing, and the host's name cannot stand in a certificate",
              "Names are made of a-z, 0-9, '.' and '-'.");
  return {};
}

std::vector<agent::AgentUser> load_users(const config::Path& file, const std::string& key,
                                         FileLoader& files) {
  std::vector<agent::AgentUser> out;
  if (file.empty()) return out;
  const Secret text = files.private_text(file, key);
  config::Faults faults;
  for (config::UserLine& line : config::parse_users(text.reveal(), faults)) {
    if (!crypto::acceptable_hash(line.hash)) {
      files.fault(key, "line " + std::to_string(line.line) + " has a hash that is not accepted",
                  "Make the line with convoy user hash --name " + line.name + ".");
    }
    out.push_back({std::move(line.name), std::move(line.hash)});
  }
  for (const config::Fault& f : faults) {
    files.fault(key, "line " + std::to_string(f.line) + " " + f.problem, f.hint);
  }
  // Authentication by a list of nobody would be a way to switch it off by mistake.
  if (out.empty() && faults.empty() && !text.empty()) {
    files.fault(key, "names no user", "Make a line with convoy user hash --name NAME.");
  }
  return out;
}

agent::AgentRegistry registry_of(const config::PulledRegistryConfig& c, const std::string& key,
                                 FileLoader& files) {
  agent::AgentRegistry out;
  out.host = c.host.text;
  out.base_url = std::string(c.url.url->tls ? "https://" : "http://") + c.url.url->authority();
  out.roots_pem = files.tls_roots(c.roots_file, key + ".roots_file");
  out.user = c.user;
  out.password = files.secret(c.password_file, key + ".password_file");
  out.token_hosts = c.token_hosts;
  out.is_default = c.is_default;
  out.allow_http = c.allow_http;
  return out;
}

void load_mirror(const config::AgentConfig::Mirror& c, agent::AgentOptions& out,
                 FileLoader& files) {
  out.mirror_enabled = !c.listen.empty();
  if (out.mirror_enabled) out.mirror_listen = endpoint(c.listen);
  out.mirror_allow_non_loopback = c.allow_non_loopback;
  out.mirror_users = load_users(c.users_file, "agent.mirror.users_file", files);
  out.mirror_client_roots_pem =
      files.tls_roots(c.client_roots_file, "agent.mirror.client_roots_file");
  if (!c.tls.cert_file.empty()) out.mirror_tls = files.identity(c.tls, "agent.mirror.tls");
}

void load_proxy(const config::AgentConfig::Proxy& c, agent::AgentOptions& out, FileLoader& files) {
  out.proxy_enabled = !c.listen.empty();
  if (out.proxy_enabled) out.proxy_listen = endpoint(c.listen);
  out.proxy_allow_non_loopback = c.allow_non_loopback;
  out.proxy_users = load_users(c.users_file, "agent.proxy.users_file", files);
  out.proxy_tunnel = c.tunnel;
}

}  // namespace

agent::AgentRates rates_of(const config::AgentConfig::Rates& c) {
  return {.upload = c.upload.bytes_per_second,
          .upload_per_peer = c.upload_per_peer.bytes_per_second,
          .upload_background = c.upload_background.bytes_per_second,
          .download = c.download.bytes_per_second,
          .origin = c.origin.bytes_per_second};
}

std::optional<agent::AgentOptions> load_agent(const config::AgentConfig& c,
                                              const std::string& folder, config::Faults& faults) {
  const std::size_t before = faults.size();
  FileLoader files(folder, faults);
  agent::AgentOptions out;
  out.data_dir = files.path(c.data_dir);
  out.node_name = c.node_name.empty() ? host_name(files) : c.node_name;
  out.zone = c.zone;
  out.tracker_url = "https://" + c.tracker.url.url->authority();
  out.tracker_roots_pem = files.tls_roots(c.tracker.roots_file, "agent.tracker.roots_file");
  out.tracker_pin = c.tracker.pin;
  out.join_token =
      files.secret_if_there(c.tracker.join_token_file, "agent.tracker.join_token_file");
  load_mirror(c.mirror, out, files);
  load_proxy(c.proxy, out, files);
  out.peer_listen = endpoint(c.peers.listen);
  if (!c.peers.bind_ip.empty()) out.bind_ip = c.peers.bind_ip;
  out.expected_rate = c.peers.expected_rate.bytes_per_second;
  out.rates = rates_of(c.rates);
  out.small_blob_limit = c.small_blob_limit.bytes;
  out.page_cache = c.page_cache.bytes;
  out.kernel_tls = c.kernel_tls;
  out.swarm_stall = c.swarm_stall;
  for (std::size_t i = 0; i < c.registries.size(); ++i) {
    const std::string key = "agent.registry[" + std::to_string(i + 1) + "]";
    out.registries.push_back(registry_of(c.registries[i], key, files));
  }
  if (faults.size() != before) return std::nullopt;
  return out;
}

}  // namespace convoy::wiring
