#pragma once

#include <chrono>
#include <string_view>

#include "config/common_config.hpp"

namespace convoy::config {

struct PulledRegistryConfig {
  RegistryName host;
  BaseUrl url;
  Path roots_file;
  std::string user;
  SecretSource password_file;
  std::vector<std::string> token_hosts;
  bool is_default = false;
  bool allow_http = false;
};

struct AgentConfig {
  struct Tracker {
    BaseUrl url;
    Path roots_file;
    std::string pin;
    SecretSource join_token_file;
  };
  struct Mirror {
    Address listen{"127.0.0.1", 5001};
    bool allow_non_loopback = false;
    Path users_file;
    Path client_roots_file;
    KeyPairConfig tls;
  };
  struct Proxy {
    Address listen{"127.0.0.1", 5002};
    bool allow_non_loopback = false;
    Path users_file;
    bool tunnel = true;
  };
  struct Peers {
    Address listen{"0.0.0.0", 6881};
    std::string bind_ip;
    Rate expected_rate;
  };
  struct Rates {
    Rate upload;
    Rate upload_per_peer;
    Rate upload_background;
    Rate download;
    Rate origin;
  };

  Path data_dir;
  std::string node_name;
  bt::Zone zone;
  ByteSize small_blob_limit{64ULL << 10};
  ByteSize page_cache{1ULL << 30};
  bool kernel_tls = true;
  std::chrono::milliseconds swarm_stall{std::chrono::seconds(5)};
  Tracker tracker;
  Mirror mirror;
  Proxy proxy;
  Peers peers;
  Rates rates;
  std::vector<PulledRegistryConfig> registries;
};

/// The file of `convoy agent`.
struct AgentFile : CommonConfig {
  AgentFile() { ops.listen.port = 9503; }
  AgentConfig agent;
};

const Table& agent_table();
/// Pure: reads no file that the text names.
Faults parse_agent(std::string_view text, AgentFile& out);

}  // namespace convoy::config
