#include "net/ops_server.hpp"

#include <utility>

namespace convoy::net {
namespace {

struct Answer {
  int status;
  std::string type;
  std::string body;
};

Answer answer_to(const http::RequestHead& request, const Metrics& metrics,
                 const Readiness& readiness) {
  const std::string text = "text/plain; charset=utf-8";
  if (request.method != "GET" && request.method != "HEAD") return {405, text, "not allowed\n"};
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/healthz") return {200, text, "ok\n"};
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics.text()};
  }
  if (path != "/readyz") return {404, text, "not found\n"};
  const auto reason = readiness ? readiness() : std::nullopt;
  if (reason) return {503, text, *reason + "\n"};
  return {200, text, "ready\n"};
}

Task<void> answer(HttpExchange& exchange, std::shared_ptr<Metrics> metrics, Readiness readiness) {
  Answer a = answer_to(exchange.request(), *metrics, readiness);
  http::ResponseHead head;
  head.status = a.status;
  head.headers.add("Content-Type", std::move(a.type));
  if (a.status == 405) head.headers.add("Allow", "GET, HEAD");
  static_cast<void>(co_await exchange.respond(std::move(head), std::move(a.body)));
}

}  // namespace

HttpHandler ops_handler(std::shared_ptr<Metrics> metrics, Readiness readiness) {
  return
      [metrics, readiness](HttpExchange& exchange) { return answer(exchange, metrics, readiness); };
}

}  // namespace convoy::net
