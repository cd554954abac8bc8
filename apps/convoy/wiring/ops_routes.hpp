#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "net/http_server.hpp"
#include "net/metrics.hpp"
#include "net/ops_server.hpp"

namespace convoy::wiring {

/// Something for operators, who show a key.
struct AdminRoute {
  std::string prefix;
  net::HttpHandler handler;
};

/// The operations listener: net::ops_handler and, when `status` gives something, GET
/// /convoy/v1/status (docs/protocols/agent-http.md).
/// Of the routes whose prefix a request has, the longest serves it.
net::HttpHandler ops_routes(std::shared_ptr<net::Metrics>, net::Readiness,
                            std::function<std::string()> status, std::vector<AdminRoute> admin);

}  // namespace convoy::wiring
