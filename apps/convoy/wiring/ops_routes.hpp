#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "net/http_server.hpp"
#include "net/metrics.hpp"
#include "net/ops_server.hpp"

namespace convoy::wiring {

/// The operations listener: net::ops_handler and, when `status` gives something, GET
/// /convoy/v1/status (docs/protocols/agent-http.md).
/// `admin` serves /convoy/v1/admin/; null: there is none.
net::HttpHandler ops_routes(std::shared_ptr<net::Metrics>, net::Readiness,
                            std::function<std::string()> status, net::HttpHandler admin);

}  // namespace convoy::wiring
