#include "registry/api/admin_api.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxOrder = 4096;

}  // namespace

net::Task<bool> AdminApi::handle(net::HttpExchange& exchange) {
  const http::RequestHead& request = exchange.request();
  if (!key_.admits(request, exchange.remote().ip, exchange.request_id())) {
    std::string refusal = R"({"error":"unauthorized"})";
    Status told = co_await net::respond_json(exchange, 401, std::move(refusal));
    static_cast<void>(told.ok());  // the client is gone: nobody is left to tell
    co_return false;
  }
  const bool order = request.method != "GET";
  if (order) key_.ordered(request, exchange.remote().ip, exchange.request_id());
  AdminAnswer answer{413, R"({"error":"body_too_large"})"};
  auto body = co_await exchange.read_all(kMaxOrder);
  if (body && request.target.starts_with(kPrefix)) {
    auto job = [&] {
      return desk_.handle(request.method, request.target.substr(kPrefix.size()), *body);
    };
    answer = co_await pool_.run(std::move(job));
  }
  const bool began = answer.status == 202;
  Status told = co_await net::respond_json(exchange, answer.status, std::move(answer.body));
  static_cast<void>(told.ok());  // as above
  co_return began;
}

}  // namespace convoy::registry
