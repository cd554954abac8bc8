#include "wiring/ops_routes.hpp"

#include <utility>

namespace convoy::wiring {

namespace {

class Routes {
 public:
  Routes(net::HttpHandler ops, std::function<std::string()> status, net::HttpHandler admin)
      : ops_(std::move(ops)), status_(std::move(status)), admin_(std::move(admin)) {}

  net::Task<void> handle(net::HttpExchange& exchange) {
    if (admin_ && exchange.request().target.starts_with("/convoy/v1/admin/")) {
      co_await admin_(exchange);
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
  net::HttpHandler ops_;
  std::function<std::string()> status_;
  net::HttpHandler admin_;
};

}  // namespace

net::HttpHandler ops_routes(std::shared_ptr<net::Metrics> metrics, net::Readiness readiness,
                            std::function<std::string()> status, net::HttpHandler admin) {
  auto routes = std::make_shared<Routes>(net::ops_handler(std::move(metrics), std::move(readiness)),
                                         std::move(status), std::move(admin));
  return [routes](net::HttpExchange& exchange) { return routes->handle(exchange); };
}

}  // namespace convoy::wiring
