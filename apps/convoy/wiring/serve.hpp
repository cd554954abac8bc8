#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wiring/role.hpp"
#include "wiring/runtime.hpp"

namespace convoy::wiring {

struct ServeOptions {
  std::optional<net::Endpoint> ops;  ///< none: no operations listener
  /// JSON of the bound endpoints, {"ready":true,"endpoints":{"mirror":"127.0.0.1:5001",…}}: written
  /// with ready false as soon as all listeners are open, once more when all roles are ready. "" for
  /// none.
  std::string ready_file;
  Duration grace = std::chrono::seconds(10);
  /// Called once, when all roles are ready.
  std::function<void(const Endpoints&)> on_ready;
};

/// Starts the roles in order and serves until SIGTERM or SIGINT, which lets requests under way
/// finish; the second of them ends the process at once. SIGHUP reads certificates and rates again.
/// Returns the process's exit status: 0 after an orderly end, 1 when something could not start,
/// with the reason in `error`.
int serve(Runtime&, std::vector<RolePtr>, ServeOptions, std::string& error);

}  // namespace convoy::wiring
