#pragma once

#include <chrono>
#include <string_view>

#include "config/common_config.hpp"

namespace convoy::config {

struct GrantConfig {
  std::vector<std::string> repositories;
  std::vector<std::string> actions{"pull"};
  std::vector<std::string> users;
};

struct SeedClusterConfig {
  Name name;
  Name trust_domain;
  Path roots_file;
  RegistryName registry_host;
  BaseUrl tracker_url;
  Path tracker_roots_file;
  SecretSource join_token_file;
  Name node_name{"origin"};
  Path state_dir;
  Address peer_listen{"0.0.0.0", 6882};
  std::uint64_t advertised_port = 0;
  std::string bind_ip;
  bt::Zone zone;
};

struct RetentionConfig {
  std::vector<std::string> repositories{"**"};
  std::vector<std::string> tags{"*"};
  std::uint64_t keep_newest = 0;
  std::chrono::milliseconds keep_pushed{0};
  std::chrono::milliseconds keep_pulled{0};
};

struct ProjectConfig {
  std::string name;
  ByteSize quota;
  std::vector<std::string> immutable_tags;
  std::vector<RetentionConfig> retention;
};

struct WebhookConfig {
  Name name;
  HookUrl url;
  std::vector<std::string> events{"push", "delete"};
  std::vector<std::string> repositories{"**"};
  SecretSource secret_file;
  Path roots_file;
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};
  std::uint64_t queue = 1000;
  std::chrono::milliseconds retry_for{std::chrono::hours(1)};
};

struct RegistryConfig {
  struct Tokens : KeyPairConfig {
    Path roots_file;
    std::string issuer = "convoy";
    std::string service = "convoy-registry";
    std::chrono::milliseconds lifetime{std::chrono::minutes(5)};
  };
  struct Limits {
    ByteSize manifest_size{4ULL << 20};
    ByteSize header_size{32ULL << 10};
    ByteSize blob_size{64ULL << 30};
    std::uint64_t uploads_per_user = 64;
    std::chrono::milliseconds header_timeout{std::chrono::seconds(5)};
    std::chrono::milliseconds upload_idle{std::chrono::seconds(60)};
    Rate upload_min_rate{1024};
    std::chrono::milliseconds upload_min_rate_span{std::chrono::seconds(30)};
    std::chrono::milliseconds upload_lifetime{std::chrono::hours(24)};
    std::chrono::milliseconds upload_abandoned{std::chrono::hours(2)};
    std::uint64_t max_connections = 10'000;
    std::uint64_t connections_per_address = 1000;
    std::uint64_t requests_per_address = 0;
    std::uint64_t requests_per_address_burst = 1000;
    std::uint64_t requests_per_user = 0;
    std::uint64_t requests_per_user_burst = 1000;
  };
  struct Load {
    std::chrono::milliseconds latency{250};
    ByteSize memory;
  };
  struct Gc {
    std::chrono::milliseconds interval{std::chrono::hours(1)};
    std::chrono::milliseconds lease{std::chrono::hours(2)};
    std::chrono::milliseconds untagged_age{std::chrono::hours(24 * 30)};
    std::chrono::milliseconds pause{10};
  };
  struct Scrub {
    std::chrono::milliseconds interval{std::chrono::hours(24 * 7)};
    Rate rate{32ULL << 20};
  };

  Path data_dir;
  Address listen{"0.0.0.0", 5000};
  BaseUrl public_url;
  bool plain_http = false;
  bool kernel_tls = true;
  Path users_file;
  Rate egress_limit;
  bool allow_delete = false;
  std::string missing_content = "none";
  KeyPairConfig tls;
  Tokens tokens;
  KeyPairConfig metadata;
  Limits limits;
  Load load;
  Gc gc;
  Scrub scrub;
  std::vector<ProjectConfig> projects;
  std::vector<GrantConfig> grants;
  std::vector<SeedClusterConfig> clusters;
  std::vector<WebhookConfig> webhooks;
};

/// The file of `convoy registry`.
struct RegistryFile : CommonConfig {
  RegistryFile() { ops.listen.port = 9501; }
  RegistryConfig registry;
};

const Table& registry_table();
/// Pure: reads no file that the text names.
Faults parse_registry(std::string_view text, RegistryFile& out);

}  // namespace convoy::config
