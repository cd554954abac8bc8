#include "demo/cluster.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <thread>
#include <utility>

#include "crypto/password.hpp"
#include "demo/files.hpp"
#include "net/tcp.hpp"
#include "security/ca/join_token.hpp"
#include "wire/json.hpp"

namespace convoy::demo {
namespace fs = std::filesystem;
namespace {

constexpr auto kStartPatience = std::chrono::seconds(20);
constexpr auto kPoll = std::chrono::milliseconds(20);
constexpr std::string_view kHubIp = "127.0.0.1";

std::string agent_ip(unsigned number) { return fmt::format("127.0.1.{}", number); }

std::string key_pair(const std::string& table, const fs::path& dir, const std::string& name) {
  return fmt::format("[{}]\ncert_file = \"{}/{}.pem\"\nkey_file = \"{}/{}.key\"\n", table,
                     dir.string(), name, dir.string(), name);
}

std::string common(const fs::path& role_dir) {
  return fmt::format("[audit]\nfile = \"{}/audit.log\"\n[ops]\nlisten = \"127.0.0.1:0\"\n",
                     role_dir.string());
}

/// A loopback port that was free a moment ago.
Result<std::uint16_t> free_port() {
  net::asio::io_context loop;
  auto listener = net::Listener::open(loop.get_executor(), {std::string(kHubIp), 0});
  if (!listener) return std::move(listener).error();
  return (*listener)->local().port;
}

Result<net::Endpoint> endpoint_in(const boost::json::object& endpoints, std::string_view key) {
  auto endpoint = net::parse_endpoint(wire::json_string(endpoints, key).value_or(""));
  if (!endpoint) return std::move(endpoint).error().with(key);
  return endpoint;
}

}  // namespace

Result<std::unique_ptr<DemoCluster>> DemoCluster::start(const ClusterSpec& spec, const Clock& clock,
                                                        Random& random) {
  std::unique_ptr<DemoCluster> cluster(new DemoCluster(spec, clock, random));
  for (const auto step : {&DemoCluster::make_keys, &DemoCluster::make_users,
                          &DemoCluster::start_services, &DemoCluster::start_agents}) {
    if (auto done = (cluster.get()->*step)(); !done) return std::move(done).error();
  }
  return cluster;
}

Status DemoCluster::make_keys() {
  const std::string ip(kHubIp);
  for (cli::ServerPlace* place : {&plan_.registry, &plan_.tracker}) {
    auto port = free_port();
    if (!port) return std::move(port).error();
    place->host = ip;
    place->port = *port;
  }
  plan_.folder = dir("keys").string();
  plan_.cluster = kCluster;
  plan_.trust_domain = kTrustDomain;
  if (auto made = cli::create_pki_folder(plan_, clock_, random_); !made) return made;
  auto ca = read_file(ca_file());
  if (!ca) return std::move(ca).error();
  ca_pem_ = std::move(*ca);
  return {};
}

Status DemoCluster::make_users() {
  password_ = Secret(random_.hex(16));
  const auto hash = crypto::hash_password(password_, random_);
  const auto users = fmt::format("{}:{}\n{}:{}\n", kUser, hash, kStranger, hash);
  if (auto done = write_file(dir("users"), users); !done) return done;
  return write_file(dir("password"), password_.reveal());
}

Status DemoCluster::add_join_token(const std::string& name, security::NodeKind kind) {
  security::FileJoinTokenStore store(dir("join-tokens.json").string());
  security::JoinTokenSpec spec;
  spec.kind = kind;
  spec.name = name;
  auto token = security::create_join_token(store, spec, clock_.wall(), random_);
  if (!token) return std::move(token).error();
  return write_file(dir("join-" + name), token->reveal());
}

Status DemoCluster::start_services() {
  if (auto done = add_join_token("origin", security::NodeKind::origin); !done) return done;
  if (auto done = start_role("tracker", "tracker", tracker_config()); !done) return done;
  if (auto done = start_role("registry", "registry", registry_config()); !done) return done;
  if (auto tracker = wait_ready("tracker"); !tracker) return std::move(tracker).error();
  auto endpoints = wait_ready("registry");
  if (!endpoints) return std::move(endpoints).error();
  auto ops = endpoint_in(*endpoints, "ops");
  if (!ops) return std::move(ops).error();
  registry_ops_ = *ops;
  return {};
}

Status DemoCluster::start_agents() {
  for (unsigned i = 1; i <= spec_.nodes; ++i) {
    const auto name = fmt::format("agent-{}", i);
    if (auto done = add_join_token(name, security::NodeKind::node); !done) return done;
    if (auto done = start_role("agent", name, agent_config(i)); !done) return done;
  }
  for (unsigned i = 1; i <= spec_.nodes; ++i) {
    const auto name = fmt::format("agent-{}", i);
    auto endpoints = wait_ready(name);
    if (!endpoints) return std::move(endpoints).error();
    AgentPlace place{{}, {}, {}, dir(name) / "audit.log"};
    for (auto [key, to] :
         {std::pair{"mirror", &place.mirror}, {"peers", &place.peer}, {"ops", &place.ops}}) {
      auto endpoint = endpoint_in(*endpoints, key);
      if (!endpoint) return std::move(endpoint).error().with(name);
      *to = *endpoint;
    }
    agents_.push_back(std::move(place));
  }
  return {};
}

Status DemoCluster::start_role(const std::string& kind, const std::string& name,
                               const std::string& config) {
  std::error_code ec;
  fs::create_directories(dir(name), ec);
  const fs::path file = dir(name) / "config.toml";
  if (auto done = write_file(file, config); !done) return done;
  auto process = Process::start({{"/proc/self/exe", kind, "--config", file.string(), "--ready-file",
                                  (dir(name) / "ready.json").string()},
                                 dir(name) / "log",
                                 {}});
  if (!process) return std::move(process).error();
  processes_.insert_or_assign(name, std::move(*process));
  return {};
}

Result<boost::json::object> DemoCluster::wait_ready(const std::string& name) {
  const SteadyTime end = clock_.steady() + kStartPatience;
  Process& process = processes_.at(name);
  while (clock_.steady() < end && !process.poll()) {
    const auto text = read_file(dir(name) / "ready.json");
    auto state = wire::parse_json_object(text ? *text : "{}");
    if (state && wire::json_bool(*state, "ready").value_or(false)) {
      return state->at("endpoints").as_object();
    }
    std::this_thread::sleep_for(kPoll);
  }
  return unavailable("role_start", name + " did not come up:\n" + log_tail(process.log()));
}

std::string DemoCluster::registry_config() const {
  const fs::path keys = dir("keys") / "registry";
  std::string out =
      fmt::format("[registry]\ndata_dir = \"{0}/data\"\nlisten = \"{1}\"\nusers_file = \"{2}\"\n",
                  dir("registry").string(), registry_host(), dir("users").string());
  if (spec_.uplink != 0) out += fmt::format("egress_limit = \"{}B/s\"\n", spec_.uplink);
  out += key_pair("registry.tls", keys, "server");
  out += key_pair("registry.tokens", keys, "token");
  out += fmt::format("roots_file = \"{}/token-ca.pem\"\n", keys.string());
  out += key_pair("registry.metadata", keys, "metadata");
  out += fmt::format(
      "[[registry.grant]]\nrepositories = [\"demo/**\"]\nactions = [\"*\"]\nusers = [\"{}\"]\n",
      kUser);
  out += fmt::format(
      "[[registry.cluster]]\nname = \"{0}\"\ntrust_domain = \"{1}\"\nroots_file = "
      "\"{2}/cluster-root.pem\"\n"
      "registry_host = \"{3}\"\ntracker_url = \"https://{4}\"\n"
      "tracker_roots_file = \"{5}\"\njoin_token_file = \"{6}\"\n"
      "peer_listen = \"{7}:0\"\nbind_ip = \"{7}\"\n",
      kCluster, kTrustDomain, keys.string(), registry_host(), plan_.tracker.authority(),
      ca_file().string(), dir("join-origin").string(), kHubIp);
  return out + common(dir("registry"));
}

std::string DemoCluster::tracker_config() const {
  const fs::path keys = dir("keys") / "tracker";
  std::string out = fmt::format(
      "[tracker]\ncluster = \"{}\"\ntrust_domain = \"{}\"\nlisten = \"{}\"\n"
      "join_tokens_file = \"{}\"\n",
      kCluster, kTrustDomain, plan_.tracker.authority(), dir("join-tokens.json").string());
  out += key_pair("tracker.tls", keys, "server");
  out += key_pair("tracker.ca", keys, "ca");
  out += fmt::format("root_file = \"{}/cluster-root.pem\"\n", keys.string());
  out += key_pair("tracker.tickets", keys, "ticket");
  out += key_pair("tracker.client", keys, "client");
  out += fmt::format(
      "[[tracker.registry]]\nhost = \"{0}\"\nurl = \"https://{0}\"\ntls_roots_file = \"{1}\"\n"
      "token_roots_file = \"{2}/token-ca.pem\"\n",
      registry_host(), ca_file().string(), keys.string());
  return out + common(dir("tracker"));
}

std::string DemoCluster::agent_config(unsigned number) const {
  const auto name = fmt::format("agent-{}", number);
  const auto ip = agent_ip(number);
  std::string out = fmt::format("[agent]\ndata_dir = \"{0}/data\"\nnode_name = \"{1}\"\n",
                                dir(name).string(), name);
  out += fmt::format(
      "[agent.tracker]\nurl = \"https://{}\"\nroots_file = \"{}\"\njoin_token_file = \"{}\"\n",
      plan_.tracker.authority(), ca_file().string(), dir("join-" + name).string());
  out += fmt::format(
      "[agent.mirror]\nlisten = \"{0}:0\"\n[agent.proxy]\nlisten = \"off\"\n"
      "[agent.peers]\nlisten = \"{0}:0\"\nbind_ip = \"{0}\"\n",
      ip);
  out += fmt::format(
      "[[agent.registry]]\nhost = \"{0}\"\nurl = \"https://{0}\"\nroots_file = \"{1}\"\n"
      "user = \"{2}\"\npassword_file = \"{3}\"\ndefault = true\n",
      registry_host(), ca_file().string(), kUser, dir("password").string());
  return out + common(dir(name));
}

Result<security::PemIdentity> DemoCluster::stolen(const std::string& name) const {
  const fs::path keys = dir("keys") / "tracker";
  auto chain = read_file(keys / (name + ".pem"));
  auto key = read_file(keys / (name + ".key"));
  if (!chain) return std::move(chain).error();
  if (!key) return std::move(key).error();
  return security::PemIdentity{*chain, Secret(*key)};
}

Site DemoCluster::site() const {
  const auto url = [](const cli::ServerPlace& place) { return *http::parse_url(place.url()); };
  return {url(plan_.tracker), url(plan_.registry), ca_pem_, registry_host(),
          dir("join-tokens.json").string()};
}

std::vector<std::pair<std::string, fs::path>> DemoCluster::audit_files() const {
  std::vector<std::pair<std::string, fs::path>> out;
  for (const auto& agent : agents_) out.emplace_back("agent", agent.audit);
  out.emplace_back("tracker", dir("tracker") / "audit.log");
  out.emplace_back("registry", dir("registry") / "audit.log");
  return out;
}

}  // namespace convoy::demo
