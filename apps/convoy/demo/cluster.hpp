#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "demo/member.hpp"
#include "demo/process.hpp"
#include "net/stream.hpp"
#include "security/ca/authority.hpp"

namespace convoy::demo {

struct ClusterSpec {
  std::filesystem::path root;  ///< everything is below it
  unsigned nodes = 8;
  std::uint64_t uplink = 0;    ///< bytes/s of the registry; 0: not limited
};

struct AgentPlace {
  net::Endpoint mirror, peer, ops;
  std::filesystem::path audit;
};

/// A registry, a tracker and agents as separate processes on loopback addresses of their own,
/// with keys made for this run alone. All end when the object dies.
class DemoCluster {
 public:
  /// Returns when every role says that it is ready. Errors tell which did not come up, with the
  /// end of its log.
  static Result<std::unique_ptr<DemoCluster>> start(const ClusterSpec&, const Clock&, Random&);

  const std::string& registry_host() const { return host_; }
  const std::filesystem::path& ca_file() const { return ca_file_; }
  const std::vector<AgentPlace>& agents() const { return agents_; }
  Site site() const;
  const security::ClusterPki& pki() const { return pki_; }
  const Secret& password() const { return password_; }  ///< of kUser and kStranger
  std::vector<std::pair<std::string, std::filesystem::path>> audit_files() const;
  net::Endpoint registry_ops() const { return registry_ops_; }

  static constexpr std::string_view kCluster = "demo";
  static constexpr std::string_view kTrustDomain = "demo.convoy";
  static constexpr std::string_view kUser = "alice";       ///< may do everything in demo/**
  static constexpr std::string_view kStranger = "mallory";  ///< may do nothing

 private:
  DemoCluster(ClusterSpec spec, const Clock& clock, Random& random)
      : spec_(std::move(spec)), clock_(clock), random_(random) {}
  Status make_keys();
  Status make_users();
  Status start_services();
  Status start_agent(unsigned number);
  Result<std::string> start_role(const std::string& kind, const std::string& name,
                                 const std::string& config);
  Status wait_ready(const std::string& name, net::Endpoint ops);
  Status add_join_token(const std::string& name, security::NodeKind kind);
  std::string registry_config() const;
  std::string tracker_config() const;
  std::string agent_config(unsigned number) const;
  std::filesystem::path dir(const std::string& name) const { return spec_.root / name; }

  ClusterSpec spec_;
  const Clock& clock_;
  Random& random_;
  std::string host_, tracker_;
  std::filesystem::path ca_file_;
  std::string ca_pem_;
  security::ClusterPki pki_;
  Secret password_;
  net::Endpoint registry_ops_;
  std::vector<AgentPlace> agents_;
  std::vector<Process> processes_;
};

}  // namespace convoy::demo
