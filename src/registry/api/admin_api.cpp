#include "registry/api/admin_api.hpp"

#include "base/bytes.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxOrder = 4096;

}  // namespace

bool AdminApi::authorised(const net::HttpExchange& exchange) const {
  const auto text = exchange.request().headers.single("Authorization");
  if (!text) return false;
  auto credential = auth::parse_authorization(*text);
  if (!credential) return false;
  const auto* bearer = std::get_if<auth::BearerCredential>(&*credential);
  return bearer != nullptr &&
         constant_time_equal(as_bytes(bearer->token.reveal()), as_bytes(token_.reveal()));
}

void AdminApi::audit(const net::HttpExchange& exchange, bool granted) {
  security::AuditEvent event;
  event.action = granted ? "admin.grant" : "admin.refuse";
  event.outcome = granted ? security::AuditOutcome::granted : security::AuditOutcome::refused;
  event.actor = granted ? "operator" : "unknown";
  event.remote_ip = exchange.remote().ip;
  event.request_id = exchange.request_id();
  if (!granted) event.reason = "admin_token_refused";
  event.extra.emplace_back("method", exchange.request().method);
  // A refused request may ask for anything; only known text goes into the log.
  if (granted) event.extra.emplace_back("target", exchange.request().target);
  audit_.record(std::move(event));
}

net::Task<bool> AdminApi::handle(net::HttpExchange& exchange) {
  const std::string& target = exchange.request().target;
  if (!authorised(exchange)) {
    audit(exchange, false);
    http::ResponseHead head;
    head.status = 401;
    head.headers.set("WWW-Authenticate", "Bearer");
    head.headers.set("Content-Type", "application/json");
    std::string body = R"({"error":"unauthorized"})";
    Status told = co_await exchange.respond(std::move(head), std::move(body));
    static_cast<void>(told.ok());  // the client is gone: nobody is left to tell
    co_return false;
  }
  const bool order = exchange.request().method != "GET";
  if (order) audit(exchange, true);
  AdminAnswer answer{413, R"({"error":"body_too_large"})"};
  auto body = co_await exchange.read_all(kMaxOrder);
  if (body && target.starts_with(kPrefix)) {
    auto job = [&] {
      return desk_.handle(exchange.request().method, target.substr(kPrefix.size()), *body);
    };
    answer = co_await pool_.run(std::move(job));
  }
  const bool began = answer.status == 202;
  Status told = co_await net::respond_json(exchange, answer.status, std::move(answer.body));
  static_cast<void>(told.ok());  // as above
  co_return began;
}

}  // namespace convoy::registry
