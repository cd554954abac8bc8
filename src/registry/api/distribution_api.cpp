#include "registry/api/distribution_api.hpp"

#include "registry/api/answer.hpp"

namespace convoy::registry {
namespace {

struct Row {
  RouteKind kind;
  std::string_view method;
  Handler handler;
  std::string_view action;
  RequestKind weight;
};

constexpr Row kHandlers[] = {
    {RouteKind::ping, "GET", get_ping, "", RequestKind::always},
    {RouteKind::token, "GET", get_token, "", RequestKind::begin},
    {RouteKind::token, "POST", post_token, "", RequestKind::begin},
    {RouteKind::catalog, "GET", get_catalog, "", RequestKind::listing},
    {RouteKind::manifest, "GET", get_manifest, "pull", RequestKind::pull},
    {RouteKind::manifest, "PUT", put_manifest, "push", RequestKind::always},
    {RouteKind::manifest, "DELETE", delete_manifest, "delete", RequestKind::begin},
    {RouteKind::blob, "GET", get_blob, "pull", RequestKind::pull},
    {RouteKind::blob, "DELETE", delete_blob, "delete", RequestKind::begin},
    {RouteKind::uploads, "POST", post_upload, "push", RequestKind::begin},
    {RouteKind::upload, "GET", get_upload, "push", RequestKind::always},
    {RouteKind::upload, "PATCH", patch_upload, "push", RequestKind::always},
    {RouteKind::upload, "PUT", put_upload, "push", RequestKind::always},
    {RouteKind::upload, "DELETE", delete_upload, "push", RequestKind::always},
    {RouteKind::tags, "GET", get_tags, "pull", RequestKind::listing},
    {RouteKind::referrers, "GET", get_referrers, "pull", RequestKind::listing},
    {RouteKind::metadata, "GET", get_metadata, "", RequestKind::always},
};

const Row* find_row(RouteKind kind, std::string_view method) {
  if (method == "HEAD") method = "GET";
  for (const auto& row : kHandlers) {
    if (row.kind == kind && row.method == method) return &row;
  }
  return nullptr;
}

/// A tracker asks for all nodes of its cluster.
bool speaks_for_cluster(const net::HttpExchange& exchange) {
  return exchange.request().target.starts_with("/convoy/v1/metadata/") && exchange.tls() &&
         !exchange.tls()->peer_chain.empty();
}

/// Requests whose outcome is worth a line in the audit log: content given, taken in or removed.
bool changes_or_gives(const Call& call) {
  const int status = call.exchange.status();
  if (call.action == "pull") {
    return !call.is_head() &&
           (call.route.kind == RouteKind::manifest || call.route.kind == RouteKind::blob) &&
           (status == 200 || status == 206);
  }
  return (call.action == "push" && status == 201) || (call.action == "delete" && status == 202);
}

}  // namespace

std::vector<auth::Access> needed_access(const Route& route, std::string_view method) {
  if (route.kind == RouteKind::catalog) return {{"registry", "catalog", {"*"}}};
  if (!route.repository) return {};
  const Row* row = find_row(route.kind, method);
  if (row == nullptr) return {};
  const std::string& name = route.repository->str();
  if (row->action == "push") return {{"repository", name, {"pull", "push"}}};
  return {{"repository", name, {std::string(row->action)}}};
}

net::Task<void> DistributionApi::handle(net::HttpExchange& exchange) {
  const SteadyTime began = api_.clock.steady();
  Call call{exchange, {}, {}, {}, {}, {}};
  Status done = co_await dispatch(call);
  if (!done && !exchange.started()) {
    Error why = std::move(done).error();
    if (why.kind() == ErrorClass::internal || why.kind() == ErrorClass::corrupt) {
      api_.log.error("request failed", {{"request_id", exchange.request_id()},
                                        {"route", to_string(call.route.kind)},
                                        {"code", why.code()},
                                        {"detail", why.detail()}});
    }
    if (why.code() == "rate_limited" || why.code() == "overloaded") {
      api_.metrics
          .counter("convoy_registry_turned_away_total",
                   "Requests refused by rate limits and under load, by route.",
                   {{"reason", why.code()}, {"route", std::string(to_string(call.route.kind))}})
          .add();
    }
    // A client that is gone is no fault of ours; its request is accounted like any other.
    Status told = co_await respond_error(exchange, std::move(why), head_of(500));
    static_cast<void>(told.ok());
  }
  account(call, began);
}

net::Task<Status> DistributionApi::dispatch(Call& call) {
  if (!speaks_for_cluster(call.exchange)) {
    auto taken = api_.admission.take_address(call.exchange.remote().ip);
    if (!taken) co_return taken;
  }
  auto target = http::parse_target(call.exchange.request().target);
  if (!target) co_return std::move(target).error();
  call.target = std::move(*target);
  auto route = parse_route(call.target);
  if (!route) co_return std::move(route).error();
  call.route = std::move(*route);
  const Row* row = find_row(call.route.kind, call.method());
  if (row == nullptr || !allows_method(call.route.kind, call.method())) {
    // Trackers only learn of the internal API; to anyone else it does not exist.
    if (call.route.kind == RouteKind::metadata) co_return not_found("route_unknown");
    http::ResponseHead head = head_of(405);
    head.headers.set("Allow", std::string(allowed_methods(call.route.kind)));
    Error why = invalid("unsupported", "method");
    co_return co_await respond_error(call.exchange, std::move(why), std::move(head));
  }
  call.action = row->action;
  const bool own_rules =
      call.route.kind == RouteKind::token || call.route.kind == RouteKind::metadata;
  if (own_rules) co_return co_await row->handler(api_, call);
  co_return co_await authorise_and_run(call);
}

net::Task<Status> DistributionApi::authorise_and_run(Call& call) {
  const http::Headers& headers = call.exchange.request().headers;
  const auto needs = needed_access(call.route, call.method());
  std::optional<std::string_view> authorization;
  // Two of them are refused like one that is malformed.
  if (headers.has("Authorization")) authorization = headers.single("Authorization").value_or("");
  auto caller = api_.access.check(authorization, needs);
  if (!caller) {
    Error why = std::move(caller).error();
    co_return co_await refuse(call, std::move(why), needs);
  }
  call.caller = std::move(*caller);
  if (auto taken = api_.admission.take_user(call.caller.subject); !taken) co_return taken;
  const Row* row = find_row(call.route.kind, call.method());
  const std::string client = client_key(call.caller.subject, call.exchange.remote().ip);
  if (auto taken = api_.admission.take_load(row->weight, client); !taken) co_return taken;
  Status done = co_await row->handler(api_, call);
  if (done) note_progress(call, client);
  if (done && changes_or_gives(call)) audit(call, security::AuditOutcome::granted, {});
  co_return done;
}

net::Task<Status> DistributionApi::refuse(Call& call, Error why, std::vector<auth::Access> needs) {
  if (call.route.kind != RouteKind::ping) {
    audit(call, security::AuditOutcome::refused, why.code());
  }
  auto base = base_url(call.exchange, api_.options.public_url);
  if (!base) co_return std::move(base).error();
  if (call.route.kind == RouteKind::uploads) {
    // The token that follows should allow the mount as well, or it could never succeed.
    const auto from = oci::RepoName::parse(call.target.query_value("from").value_or(""));
    if (call.target.query_value("mount") && from) {
      needs.push_back({"repository", from->str(), {"pull"}});
    }
  }
  http::ResponseHead head = head_of(401);
  const auto challenge = api_.access.challenge(*base + "/token", needs, why);
  head.headers.set("WWW-Authenticate", auth::to_header(challenge));
  // What was wrong with a token stays here; a client learns all it needs from the challenge.
  Error shown = unauthorized("token_refused");
  co_return co_await respond_error(call.exchange, std::move(shown), std::move(head));
}

void DistributionApi::note_progress(const Call& call, const std::string& client) {
  const int status = call.exchange.status();
  if (status < 200 || status > 299) return;
  const RouteKind kind = call.route.kind;
  const bool push = call.action == "push" && !call.caller.subject.empty();
  const bool pull = kind == RouteKind::manifest && call.action == "pull" && !call.is_head();
  if (!push && !pull) return;
  push ? api_.admission.note_push(client) : api_.admission.note_pull(client);
}

void DistributionApi::audit(const Call& call, security::AuditOutcome outcome, std::string reason) {
  const bool granted = outcome == security::AuditOutcome::granted;
  security::AuditEvent event;
  const std::string what =
      call.action.empty() ? std::string(to_string(call.route.kind)) : call.action;
  event.action = what + (granted ? ".grant" : ".refuse");
  event.outcome = outcome;
  event.actor = call.caller.subject.empty() ? "anonymous" : call.caller.subject;
  event.remote_ip = call.exchange.remote().ip;
  event.digest = call.digest;
  if (call.route.repository) event.repository = call.route.repository->str();
  event.reason = std::move(reason);
  event.request_id = call.exchange.request_id();
  event.extra.emplace_back("object", std::string(to_string(call.route.kind)));
  api_.audit.record(std::move(event));
}

void DistributionApi::account(const Call& call, SteadyTime began) {
  const auto took = api_.clock.steady() - began;
  const double seconds = std::chrono::duration<double>(took).count();
  const std::string route(to_string(call.route.kind));
  const int status = call.exchange.status();
  const std::string status_class = std::to_string(status / 100) + "xx";
  api_.metrics
      .counter("convoy_registry_requests_total", "Requests by route and status class.",
               {{"route", route}, {"status", status_class}})
      .add();
  api_.metrics
      .counter("convoy_registry_sent_bytes_total", "Bytes of answer bodies by route.",
               {{"route", route}})
      .add(static_cast<double>(call.exchange.bytes_sent()));
  api_.metrics
      .latency("convoy_registry_request_seconds", "Time from head to end by route.",
               {{"route", route}})
      .observe(seconds);
  // Every node of a cluster keeps its connection open by pings.
  const bool ping = call.route.kind == RouteKind::ping;
  if (!api_.log.enabled(ping ? LogLevel::debug : LogLevel::info)) return;
  api_.log.info("request",
                {{"request_id", call.exchange.request_id()},
                 {"method", call.method()},
                 {"route", route},
                 {"repository", call.route.repository ? call.route.repository->str() : ""},
                 {"digest", call.digest},
                 {"status", status},
                 {"bytes", call.exchange.bytes_sent()},
                 {"ms", seconds * 1000},
                 {"subject", call.caller.subject},
                 {"remote", call.exchange.remote().ip}});
}

}  // namespace convoy::registry
