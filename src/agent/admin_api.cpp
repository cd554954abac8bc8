#include "agent/admin_api.hpp"

#include "agent/rates_json.hpp"
#include "base/log.hpp"

namespace convoy::agent {
namespace {

constexpr std::size_t kMaxOrder = 4096;
constexpr std::string_view kRates = "/convoy/v1/admin/rates";

std::string error_body(std::string_view code, std::string_view detail = {}) {
  std::string out = R"({"error":)";
  append_json_string(out, code);
  if (!detail.empty()) {
    out += R"(,"detail":)";
    append_json_string(out, detail);
  }
  return out + '}';
}

}  // namespace

AdminApi::Answer AdminApi::answer(const http::RequestHead& request, const std::string& body) {
  if (request.target != kRates) return {404, error_body("route_unknown")};
  if (request.method == "GET") return {200, to_json(rates_.get())};
  if (request.method != "PATCH") return {405, error_body("method")};
  const auto wanted = changed(rates_.get(), body);
  if (!wanted) return {400, error_body(wanted.error().code(), wanted.error().detail())};
  rates_.set(*wanted);
  return {200, to_json(rates_.get())};
}

net::Task<void> AdminApi::handle(net::HttpExchange& exchange) {
  const http::RequestHead& request = exchange.request();
  Answer out{401, error_body("unauthorized")};
  if (key_.admits(request, exchange.remote().ip, exchange.request_id())) {
    if (request.method != "GET") {
      key_.ordered(request, exchange.remote().ip, exchange.request_id());
    }
    auto body = co_await exchange.read_all(kMaxOrder);
    out = body ? answer(request, *body) : Answer{413, error_body("body_too_large")};
  }
  Status told = co_await net::respond_json(exchange, out.status, std::move(out.body));
  static_cast<void>(told.ok());  // the client is gone: nobody is left to tell
}

}  // namespace convoy::agent
