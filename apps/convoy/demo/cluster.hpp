#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "cli/pki_folder.hpp"
#include "demo/member.hpp"
#include "demo/process.hpp"
#include "net/stream.hpp"
#include "security/ca/pem_identity.hpp"
#include "security/identity/spiffe.hpp"

namespace convoy::demo {

struct ClusterSpec {
  std::filesystem::path root;  ///< everything is below it
  unsigned nodes = 8;
  std::uint64_t uplink = 0;  ///< bytes/s of the registry; 0: not limited
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

  std::string registry_host() const { return plan_.registry.authority(); }
  /// Trust anchor of the services' certificates.
  std::filesystem::path ca_file() const { return dir("keys") / "agent" / "service-ca.pem"; }
  const std::vector<AgentPlace>& agents() const { return agents_; }
  Site site() const;
  /// Keys of the tracker, for what only a theft could bring: "ca" or "ticket".
  Result<security::PemIdentity> stolen(const std::string& name) const;
  const Secret& password() const { return password_; }  ///< of kUser and kStranger
  std::vector<std::pair<std::string, std::filesystem::path>> audit_files() const;
  net::Endpoint registry_ops() const { return registry_ops_; }

  static constexpr std::string_view kCluster = "demo";
  static constexpr std::string_view kTrustDomain = "demo.convoy";
  static constexpr std::string_view kUser = "alice";        ///< may do everything in demo/**
  static constexpr std::string_view kStranger = "mallory";  ///< may do nothing

 private:
  DemoCluster(ClusterSpec spec, const Clock& clock, Random& random)
      : spec_(std::move(spec)), clock_(clock), random_(random) {}
  Status make_keys();
  Status make_users();
  Status start_services();
  Status start_agents();
  Status start_role(const std::string& kind, const std::string& name, const std::string& config);
  /// Until the role has written that it is ready; its endpoints by name.
  Result<boost::json::object> wait_ready(const std::string& name);
  Status add_join_token(const std::string& name, security::NodeKind kind);
  std::string registry_config() const;
  std::string tracker_config() const;
  std::string agent_config(unsigned number) const;
  std::filesystem::path dir(const std::string& name) const { return spec_.root / name; }

  ClusterSpec spec_;
  const Clock& clock_;
  Random& random_;
  cli::PkiPlan plan_;
  std::string ca_pem_;
  Secret password_;
  net::Endpoint registry_ops_;
  std::vector<AgentPlace> agents_;
  std::map<std::string, Process> processes_;
};

}  // namespace convoy::demo
