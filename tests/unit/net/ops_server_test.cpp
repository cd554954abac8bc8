#include "net/ops_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/net_http.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using test::Loop;
using test::WebServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(OpsServer, serves_health_readiness_and_metrics_only) {
  Loop loop;
  auto metrics = std::make_shared<Metrics>();
  metrics->counter("convoy_things_total", "Things.", {{"kind", "a"}}).add(3);
  std::optional<std::string> reason = "no certificate yet";
  WebServer server(loop, ops_handler(metrics, [&] { return reason; }));
  const auto get = [&](const std::string& path, const std::string& method = "GET") {
    return server.raw(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/readyz"), HasSubstr("no certificate yet"));
  reason.reset();
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/metrics"), HasSubstr("convoy_things_total{kind=\"a\"} 3"));
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/healthz", "POST"), StartsWith("HTTP/1.1 405 "));
}

}  // namespace
}  // namespace convoy::net
