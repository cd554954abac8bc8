#pragma once

#include <chrono>
#include <string_view>

#include "config/common_config.hpp"

namespace convoy::config {

struct TrackedRegistryConfig {
  RegistryName host;
  BaseUrl url;
  Path tls_roots_file;
  Path token_roots_file;
  Path metadata_roots_file;
  std::string issuer = "convoy";
  std::string service = "convoy-registry";
  std::string origin_name;
};

struct TrackerConfig {
  struct Authority : KeyPairConfig {
    Path root_file;
  };
  struct Limits {
    std::uint64_t max_swarms = 100'000;
    std::uint64_t max_peers_per_swarm = 20'000;
    std::uint64_t max_grants = 1'000'000;
    std::uint64_t max_connections = 20'000;
    std::uint64_t connections_per_address = 5'000;
    std::uint64_t max_registry_calls = 256;
    std::uint64_t node_calls_per_second = 100;
    std::uint64_t node_call_burst = 1000;
  };

  Name cluster;
  Name trust_domain;
  Address listen{"0.0.0.0", 5443};
  Path join_tokens_file;
  std::chrono::milliseconds node_lifetime{std::chrono::hours(24)};
  std::chrono::milliseconds ticket_lifetime{std::chrono::minutes(10)};
  std::chrono::milliseconds announce_interval{std::chrono::seconds(30)};
  std::chrono::milliseconds registry_timeout{std::chrono::seconds(10)};
  std::uint64_t degree = 10;
  KeyPairConfig tls;
  Authority ca;
  KeyPairConfig tickets;
  KeyPairConfig client;
  Limits limits;
  std::vector<TrackedRegistryConfig> registries;
};

/// The file of `convoy tracker`.
struct TrackerFile : CommonConfig {
  TrackerFile() { ops.listen.port = 9502; }
  TrackerConfig tracker;
};

const Table& tracker_table();
/// Pure: reads no file that the text names.
Faults parse_tracker(std::string_view text, TrackerFile& out);

}  // namespace convoy::config
