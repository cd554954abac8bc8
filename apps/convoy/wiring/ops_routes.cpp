#include "wiring/ops_routes.hpp"

#include <utility>

namespace convoy::wiring {

namespace {

class Routes {
 public:
  Routes(net::HttpHandler ops, std::function<std::string()> status, std::vector<AdminRoute> admin)
      : ops_(std::move(ops)), status_(std::move(status)), admin_(std::move(admin)) {}

  net::Task<void> handle(net::HttpExchange& exchange) {
    if (const AdminRoute* admin = find(exchange.request().target)) {
      co_await admin->handler(exchange);
      co_return;
    }
    if (exchange.request().method == "GET" && exchange.request().target == "/convoy/v1/status") {
      std::string body = status_();
      if (!body.empty()) {
        Status sent = co_await net::respond_json(exchange, 200, std::move(body));
        static_cast<void>(sent.ok());  // the client is gone: nobody is left to tell
        co_return;
      }
    }
    co_await ops_(exchange);
  }

 private:
  const AdminRoute* find(std::string_view target) const {
    const AdminRoute* best = nullptr;
    for (const AdminRoute& route : admin_) {
      if (!target.starts_with(route.prefix)) continue;
      if (best == nullptr || best->prefix.size() < route.prefix.size()) best = &route;
    }
    return best;
  }

  net::HttpHandler ops_;
  std::function<std::string()> status_;
  std::vector<AdminRoute> admin_;
};

}  // namespace

net::HttpHandler ops_routes(std::shared_ptr<net::Metrics> metrics, net::Readiness readiness,
                            std::function<std::string()> status, std::vector<AdminRoute> admin) {
  auto routes = std::make_shared<Routes>(net::ops_handler(std::move(metrics), std::move(readiness)),
                                         std::move(status), std::move(admin));
  return [routes](net::HttpExchange& exchange) { return routes->handle(exchange); };
}

}  // namespace convoy::wiring
