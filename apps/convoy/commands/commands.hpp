#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

// One binary, one entry for each subcommand. The add_… functions declare options, the run_…
// functions do the work and return the exit status: 0 all right, 1 it failed, 2 usage or
// configuration.
namespace convoy::commands {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

void add_role_commands(CLI::App&, int& status);
void add_admin_commands(CLI::App&, int& status);
void add_try_commands(CLI::App&, int& status);

struct RoleArgs {
  std::string config;
  bool check_config = false;  ///< the text alone
  bool check_files = false;   ///< and every file it names
  std::string ready_file;
};
int run_registry(const RoleArgs&);
int run_tracker(const RoleArgs&);
int run_agent(const RoleArgs&);

struct PkiInitArgs {
  std::string folder;
  std::string cluster;
  std::string trust_domain;
  std::vector<std::string> registry_hosts;  ///< the first, host[:port], is its name in images
  std::vector<std::string> tracker_hosts;
};
int run_pki_init(const PkiInitArgs&);
int run_pki_show(const std::string& file);

struct NodeTokenArgs {
  std::string join_file;
  std::string kind = "node";
  std::string name;
  std::string zone;
  std::string ttl = "1h";
};
int run_node_token_create(const NodeTokenArgs&);
int run_node_token_list(const std::string& join_file);
int run_node_token_revoke(const std::string& join_file, const std::string& id);

struct NodeArgs {
  std::string join_file;
  std::string kind = "node";
  std::string name;
};
int run_node_revoke(const NodeArgs&);
int run_node_allow(const NodeArgs&);

int run_user_hash(const std::string& name);
int run_config_reference(const std::string& role);

struct StatusArgs {
  std::string ops = "http://127.0.0.1:9503";
  std::string config;  ///< an agent's, for its ops.listen; wins over `ops`
  bool json = false;
};
int run_status(const StatusArgs&);

/// What `convoy rates` changes; "" leaves it as it is.
struct RatesArgs {
  std::string config;  ///< of the agent
  std::string data;    ///< its data directory, instead of `config`
  std::string upload, upload_per_peer, upload_background, download, origin;
  bool json = false;
};
int run_rates(const RatesArgs&);

/// Which registry, for the commands that look after its store.
struct StoreArgs {
  std::string config;  ///< of the registry
  std::string data;    ///< its data directory, instead of `config`
  bool json = false;
};
struct UpkeepArgs : StoreArgs {
  bool dry_run = false;
  bool detach = false;  ///< begin it and do not wait
};
int run_gc(const UpkeepArgs&);
int run_scrub(const UpkeepArgs&);
int run_repo_ls(const StoreArgs&);
int run_tag_ls(const StoreArgs&, const std::string& repository);
int run_du(const StoreArgs&);
void add_store_commands(CLI::App&, int& status);

struct UpArgs {
  std::string data;  ///< "": ~/.local/share/convoy
  std::string listen_ip = "127.0.0.1";
  std::string host = "convoy.internal";
  std::uint16_t registry_port = 5000;
  std::uint16_t tracker_port = 5443;
  std::uint16_t mirror_port = 5001;
  std::uint16_t proxy_port = 5002;
  std::uint16_t agent_peer_port = 6881;
  std::uint16_t origin_peer_port = 6882;
  std::uint16_t ops_port = 9503;
  std::string ready_file;
};
int run_up(const UpArgs&);

}  // namespace convoy::commands
