#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/agent_config.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "net/http_server.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "wiring/load_options.hpp"
#include "wiring/ops_routes.hpp"
#include "wiring/runtime.hpp"

namespace convoy::wiring {

/// Names and bound addresses: {"mirror", "127.0.0.1:5001"}.
using Endpoints = std::map<std::string, std::string>;

/// A service as the process sees it.
class Role {
 public:
  virtual ~Role() = default;
  virtual std::string name() const = 0;
  virtual net::Task<Status> start() = 0;
  virtual std::optional<std::string> not_ready() const = 0;
  virtual Endpoints endpoints() const = 0;
  /// Reads certificates and rates again. Nothing changes when one of them cannot be used.
  virtual Status reload() = 0;
  /// The body of /convoy/v1/status; "" for a role that has none.
  virtual std::string status_json() const { return {}; }
  /// Where the operations listener of the process is; called before start().
  virtual Status ops_bound(const net::Endpoint&) { return {}; }
  /// What the role serves there besides, to operators.
  virtual std::vector<AdminRoute> admin_routes() { return {}; }
  virtual net::Task<void> stop(Duration grace) = 0;
};

using RolePtr = std::unique_ptr<Role>;

/// `file` is the configuration, for reload(). The runtime must outlive the role.
Result<RolePtr> make_registry_role(Runtime&, registry::RegistryOptions, config::RegistryConfig,
                                   std::string file);
Result<RolePtr> make_tracker_role(Runtime&, tracker::TrackerOptions, config::TrackerConfig,
                                  std::string file);
Result<RolePtr> make_agent_role(Runtime&, agent::AgentOptions, config::AgentConfig,
                                std::string file);

}  // namespace convoy::wiring
