#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxForm = 8 * 1024;

Result<std::vector<auth::Access>> wanted_access(const http::Target& parameters) {
  std::string all;
  for (const auto scope : parameters.query_values("scope")) {
    if (!all.empty()) all += ' ';
    all += scope;
  }
  return auth::parse_scope(all);
}

Status check_service(const RegistryOptions& options, const http::Target& parameters) {
  const auto service = parameters.query_value("service");
  if (service && !service->empty() && *service != options.service)
    return invalid("service_unknown");
  return {};
}

std::string to_text(const std::vector<auth::Access>& list) {
  std::string out;
  for (const auto& access : list) {
    if (!out.empty()) out += ' ';
    out += access.str();
  }
  return out;
}

void record(Context& api, Call& call, const TokenRequest& request, const std::string& user,
            const Result<TokenReply>& outcome) {
  security::AuditEvent event;
  event.action = outcome ? "token.grant" : "token.refuse";
  event.outcome = outcome ? security::AuditOutcome::granted : security::AuditOutcome::refused;
  event.actor = user.empty() ? "anonymous" : user;
  event.remote_ip = request.remote_ip;
  event.request_id = call.exchange.request_id();
  if (!outcome) event.reason = outcome.error().code();
  event.extra.emplace_back("wanted", to_text(request.wanted));
  if (outcome) event.extra.emplace_back("granted", to_text(outcome->granted));
  api.audit.record(std::move(event));
  const std::string reason =
      outcome ? (outcome->granted.empty() ? "empty" : "granted") : outcome.error().code();
  api.metrics
      .counter("convoy_registry_tokens_total", "Token requests by outcome.", {{"outcome", reason}})
      .add();
}

net::Task<Status> grant(Context& api, Call& call, std::optional<auth::BasicCredential> credential,
                        const http::Target& parameters, bool with_scope) {
  if (auto known = check_service(api.options, parameters); !known) co_return known;
  auto wanted = wanted_access(parameters);
  if (!wanted) co_return std::move(wanted).error();
  // A name as it stands in the audit: what is no name of ours is cut short.
  const std::string user = credential ? credential->user.substr(0, 64) : std::string();
  const std::string client = client_key(user, call.exchange.remote().ip);
  if (auto taken = api.admission.take_load(RequestKind::begin, client); !taken) co_return taken;
  TokenRequest request{std::move(credential), std::move(*wanted), call.exchange.remote().ip};
  auto reply = co_await api.tokens.grant(request);
  record(api, call, request, user, reply);
  if (!reply) {
    Error why = std::move(reply).error();
    http::ResponseHead head = head_of(401);
    if (why.kind() == ErrorClass::unauthorized) {
      head.headers.set("WWW-Authenticate", "Basic realm=\"convoy\"");
    }
    co_return co_await respond_error(call.exchange, std::move(why), std::move(head));
  }
  // Only now: who does not know the password must not use up the user's share.
  if (auto taken = api.admission.take_user(user); !taken) co_return taken;
  std::string body = R"({"token":)";
  append_json_string(body, reply->issued.token);
  body += R"(,"access_token":)";
  append_json_string(body, reply->issued.token);
  body += R"(,"expires_in":)" + std::to_string(reply->issued.expires_in.count());
  body += R"(,"issued_at":")" + to_rfc3339(reply->issued.issued_at) + '"';
  if (with_scope) {
    body += R"(,"scope":)";
    append_json_string(body, to_text(reply->granted));
  }
  body += '}';
  http::ResponseHead head = head_of(200);
  head.headers.set("Content-Type", "application/json");
  head.headers.set("Cache-Control", "no-store");
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

net::Task<Status> refuse_form(Call& call, std::string_view error) {
  // RFC 6749 5.2; clients fall back to GET.
  http::ResponseHead head = head_of(400);
  head.headers.set("Content-Type", "application/json");
  std::string body = R"({"error":")" + std::string(error) + "\"}";
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

}  // namespace

net::Task<Status> get_token(Context& api, Call& call) {
  const http::Headers& headers = call.exchange.request().headers;
  std::optional<auth::BasicCredential> credential;
  if (headers.has("Authorization")) {
    const auto value = headers.single("Authorization");
    auto parsed = auth::parse_authorization(value.value_or(""));
    auto* basic = parsed ? std::get_if<auth::BasicCredential>(&*parsed) : nullptr;
    if (basic == nullptr) {
      http::ResponseHead head = head_of(401);
      head.headers.set("WWW-Authenticate", "Basic realm=\"convoy\"");
      Error why = unauthorized("authorization_invalid");
      co_return co_await respond_error(call.exchange, std::move(why), std::move(head));
    }
    credential = std::move(*basic);
  }
  co_return co_await grant(api, call, std::move(credential), call.target, false);
}

net::Task<Status> post_token(Context& api, Call& call) {
  const auto type = call.exchange.request().headers.get("Content-Type").value_or("");
  if (media_type_of(type) != "application/x-www-form-urlencoded") {
    co_return co_await refuse_form(call, "invalid_request");
  }
  auto body = co_await call.exchange.read_all(kMaxForm);
  if (!body) co_return std::move(body).error();
  auto form = http::parse_target("/?" + *body);
  if (!form) co_return co_await refuse_form(call, "invalid_request");
  if (form->query_value("grant_type").value_or("") != "password") {
    co_return co_await refuse_form(call, "unsupported_grant_type");
  }
  const auto user = form->query_value("username");
  const auto password = form->query_value("password");
  if (!user || user->empty() || !password) co_return co_await refuse_form(call, "invalid_request");
  std::optional<auth::BasicCredential> credential(
      auth::BasicCredential{std::string(*user), Secret(std::string(*password))});
  co_return co_await grant(api, call, std::move(credential), *form, true);
}

}  // namespace convoy::registry
