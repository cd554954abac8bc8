#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_server.hpp"
#include "net/metrics.hpp"

namespace convoy::net {

/// What /readyz says: nothing when ready, else the reason.
using Readiness = std::function<std::optional<std::string>()>;

/// The handler of a role's operations listener: /healthz (the loop turns), /readyz, /metrics.
/// Everything else is 404.
HttpHandler ops_handler(std::shared_ptr<Metrics>, Readiness);

}  // namespace convoy::net
