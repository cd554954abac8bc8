#include "tracker/api/router.hpp"

#include <algorithm>
#include <array>

#include "tracker/api/errors.hpp"
#include "tracker/api/replies.hpp"
#include "tracker/api/requests.hpp"
#include "wire/bt/announce.hpp"
#include "wire/http/message.hpp"

namespace convoy::tracker {
namespace {

constexpr std::array kRoutes{
    Route{"POST", "/v1/enrol", Access::anybody, "enrol"},
    Route{"GET", "/v1/hello", Access::member, "hello"},
    Route{"POST", "/v1/renew", Access::member, "renew"},
    Route{"POST", "/v1/tickets", Access::member, "ticket"},
    Route{"POST", "/v1/origins", Access::member, "origin"},
    Route{"POST", "/v1/reports", Access::member, "report"},
    Route{"GET", "/announce", Access::member, "announce", true},
    Route{"GET", "/scrape", Access::member, "scrape", true},
};

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain";  // what BitTorrent trackers send

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string text_of(const Bytes& bytes) { return std::string(as_text(bytes)); }

}  // namespace

std::span<const Route> routes() { return kRoutes; }

struct Router::Reply {
  int status = 200;
  std::string body;
  std::string_view content_type = kJson;
};

/// One request on its way through: what is known of it so far, for the handler and the record.
struct Router::Call {
  const Route* route = nullptr;
  std::optional<Caller> caller;
  std::string body;
  http::Target target;
  std::string remote_ip;
  std::string request_id;
  security::AuditEvent event;
  bool audited = true;  ///< success is worth a record, not only a refusal

  void note(std::string key, std::string value) {
    event.extra.emplace_back(std::move(key), std::move(value));
  }
};

net::Task<void> Router::handle(net::HttpExchange& http) {
  const SteadyTime begun = parts_.clock.steady();
  Call call;
  call.remote_ip = plain_ip(http.remote().ip);
  call.request_id = http.request_id();
  Result<Reply> outcome = co_await dispatch(http, call);
  record(call, outcome);

  Reply reply;
  http::ResponseHead head;
  if (outcome.ok()) {
    reply = std::move(*outcome);
  } else if (call.route != nullptr && call.route->bencoded && call.caller) {
    reply = {200, text_of(bt::encode_failure(to_failure_reason(outcome.error()))), kText};
  } else {
    ErrorReply error = to_tracker_error(outcome.error());
    if (outcome.error().code() == "method_not_allowed") {
      error.status = 405;
      head.headers.add("Allow", std::string(call.route->method));
    }
    if (error.status == 429 || error.status == 503) head.headers.add("Retry-After", "5");
    reply = {error.status, std::move(error.body), kJson};
  }
  head.status = reply.status;
  head.headers.add("Content-Type", std::string(reply.content_type));
  head.headers.add("Cache-Control", "no-store");
  auto sent = co_await http.respond(std::move(head), std::move(reply.body));
  if (!sent) parts_.log.debug("answer not sent", {{"error", sent.error().text()}});

  const std::string route(call.route == nullptr ? "other" : call.route->action);
  const std::string result(outcome.ok() ? "ok" : to_string(outcome.error().kind()));
  parts_.metrics
      ->counter("convoy_tracker_requests_total", "Requests by route and outcome.",
                {{"route", route}, {"outcome", result}})
      .add();
  parts_.metrics
      ->latency("convoy_tracker_request_seconds", "Time to the answer.", {{"route", route}})
      .observe(std::chrono::duration<double>(parts_.clock.steady() - begun).count());
}

net::Task<Result<Router::Reply>> Router::dispatch(net::HttpExchange& http, Call& call) {
  const http::RequestHead& request = http.request();
  const std::string_view path = path_of(request.target);
  const auto* route =
      std::find_if(kRoutes.begin(), kRoutes.end(), [&](const Route& r) { return r.path == path; });
  if (route == kRoutes.end()) co_return not_found("route_unknown");
  call.route = route;
  if (request.method != route->method) co_return invalid("method_not_allowed");
  if (route->access == Access::member) {
    auto caller = identify(http.tls(), http.remote(), parts_.cluster, parts_.clock.wall());
    if (!caller) co_return std::move(caller).error();
    call.caller = std::move(*caller);
    if (security::is_revoked(parts_.revoked, call.caller->id)) {
      co_return denied("node_revoked", call.caller->node);
    }
    if (!parts_.limiter.admit(call.caller->node, parts_.clock.steady())) {
      co_return exhausted("rate_limited", call.caller->node);
    }
  }
  if (route->method == "GET") {
    auto target = http::parse_target(request.target);
    if (!target) co_return std::move(target).error();
    call.target = std::move(*target);
  } else {
    auto body = co_await http.read_all(parts_.max_body);
    if (!body) co_return std::move(body).error();
    call.body = std::move(*body);
  }
  if (route->action == "enrol") co_return co_await enrol(call);
  if (route->action == "ticket") co_return co_await tickets(call);
  if (route->action == "renew") co_return renew(call);
  if (route->action == "origin") co_return origins(call);
  if (route->action == "report") co_return reports(call);
  if (route->action == "announce") co_return announce(call);
  if (route->action == "hello") co_return hello(call);
  co_return scrape(call);
}

net::Task<Result<Router::Reply>> Router::enrol(Call& call) {
  auto request = parse_enrol(call.body);
  if (!request) co_return std::move(request).error();
  call.note("name", request->name);
  if (!request->zone.common()) call.note("zone_said", request->zone.str());
  auto enrolled = co_await parts_.office.enrol(std::move(*request), call.remote_ip);
  if (!enrolled) co_return std::move(enrolled).error();
  call.event.node = enrolled->id.str();
  if (!enrolled->zone.empty()) call.note("zone", enrolled->zone);
  parts_.log.info("node enrolled", {{"node", call.event.node}, {"ip", call.remote_ip}});
  std::string body =
      enrolment_json(*enrolled, parts_.office.authority(), parts_.registries.trust());
  co_return Reply{201, std::move(body)};
}

Result<Router::Reply> Router::hello(Call& call) {
  call.audited = false;
  return Reply{200, "{}"};
}

Result<Router::Reply> Router::renew(Call& call) {
  auto csr = parse_renew(call.body);
  if (!csr) return std::move(csr).error();
  auto renewed = parts_.office.renew(*call.caller, *csr);
  if (!renewed) return std::move(renewed).error();
  return Reply{200, enrolment_json(*renewed, parts_.office.authority(), parts_.registries.trust())};
}

net::Task<Result<Router::Reply>> Router::tickets(Call& call) {
  auto request = parse_ticket(call.body);
  if (!request) co_return std::move(request).error();
  call.note("registry", request->registry);
  if (request->repository) call.event.repository = request->repository->str();
  call.event.digest = request->digest.str();
  if (!request->zone.common()) call.note("zone", request->zone.str());
  auto given = co_await parts_.desk.give(*call.caller, std::move(*request), call.request_id);
  if (!given) co_return std::move(given).error();
  call.event.actor = given->subject;
  if (given->ticket.empty()) call.note("ticket", "known");
  co_return Reply{200, ticket_json(*given)};
}

Result<Router::Reply> Router::origins(Call& call) {
  auto request = parse_origin(call.body);
  if (!request) return std::move(request).error();
  call.note("registry", request->registry);
  const Registry* registry = parts_.registries.find(request->registry);
  if (registry == nullptr) return not_found("registry_unknown", request->registry);
  auto allowed = may_be_origin(*call.caller, *registry);
  if (!allowed) return std::move(allowed).error();
  const SteadyTime now = parts_.clock.steady();
  const bt::PeerEndpoint address{call.remote_ip, request->port};
  call.audited = parts_.peers.origin(request->registry, now) != address;
  call.note("address", address.ip + " " + std::to_string(address.port));
  if (!request->zone.common()) call.note("zone", request->zone.str());
  parts_.peers.register_origin(request->registry, address, request->zone.str(), now);
  return Reply{200, interval_json(parts_.interval)};
}

Result<Router::Reply> Router::reports(Call& call) {
  auto request = parse_report(call.body);
  if (!request) return std::move(request).error();
  call.event.actor = call.caller->node;
  call.event.node = request->node;
  call.note("info_hash", to_hex(request->info_hash));
  call.note("claim", request->reason);
  call.note("piece", std::to_string(request->piece));
  call.note("count", std::to_string(request->count));
  const SteadyTime now = parts_.clock.steady();
  const auto grant = parts_.grants.find(call.caller->node, short_hash(request->info_hash), now);
  if (!grant || grant->info_hash != request->info_hash) return denied("grant_missing");
  const bool excluded = parts_.peers.report(request->info_hash, call.caller->node, request->node);
  call.note("excluded", excluded ? "yes" : "no");
  if (excluded) {
    parts_.log.warn("node no longer handed out in a swarm",
                    {{"node", request->node}, {"info_hash", to_hex(request->info_hash)}});
  }
  return Reply{202, "{}"};
}

Result<Router::Reply> Router::announce(Call& call) {
  call.audited = false;
  auto request = bt::parse_announce(call.target);
  if (!request) return std::move(request).error();
  const SteadyTime now = parts_.clock.steady();
  const std::string& node = call.caller->node;
  const auto grant = parts_.grants.find(node, request->info_hash, now);
  if (!grant) return denied("grant_missing", to_hex(request->info_hash));
  if (request->event == bt::AnnounceEvent::stopped) {
    parts_.peers.leave(grant->info_hash, node);
    bt::AnnounceReply reply;
    reply.interval = static_cast<std::uint32_t>(parts_.interval.count());
    return Reply{200, text_of(bt::encode(reply)), kText};
  }
  PeerCall seat;
  seat.node = node;
  // An origin is handed out by its own rule, not as a member.
  const bool origin = call.caller->id.kind == security::NodeKind::origin;
  seat.address = {call.remote_ip, origin ? std::uint16_t{0} : request->port};
  seat.registry = grant->registry;
  seat.zone = grant->zone;
  seat.seed = request->left == 0 || !grant->leech;
  seat.completed = request->event == bt::AnnounceEvent::completed;
  seat.numwant = request->numwant;
  auto handed = parts_.peers.call(grant->info_hash, std::move(seat), now);
  if (!handed) return std::move(handed).error();
  bt::AnnounceReply reply;
  reply.interval = static_cast<std::uint32_t>(handed->interval.count());
  reply.seeders = handed->seeders;
  reply.leechers = handed->leechers;
  for (HandedPeer& peer : handed->peers) reply.peers.push_back(std::move(peer.address));
  return Reply{200, text_of(bt::encode(reply)), kText};
}

Result<Router::Reply> Router::scrape(Call& call) {
  call.audited = false;
  auto hashes = bt::parse_scrape(call.target);
  if (!hashes) return std::move(hashes).error();
  std::vector<bt::ScrapeEntry> entries;
  for (const ShortHash& hash : *hashes) {
    const auto grant = parts_.grants.find(call.caller->node, hash, parts_.clock.steady());
    if (!grant) return denied("grant_missing", to_hex(hash));
    const SwarmCount count = parts_.peers.count(grant->info_hash);
    entries.push_back({hash, count.seeders, count.completed, count.leechers});
  }
  return Reply{200, text_of(bt::encode_scrape(entries)), kText};
}

void Router::record(const Call& call, const Result<Reply>& outcome) {
  if (!outcome.ok()) {
    const bool ours = outcome.error().kind() == ErrorClass::internal;
    const LogFields fields = {{"route", call.route == nullptr ? "" : call.route->action},
                              {"node", call.caller ? call.caller->node : ""},
                              {"ip", call.remote_ip},
                              {"code", outcome.error().code()},
                              {"detail", outcome.error().detail()},
                              {"request_id", call.request_id}};
    if (ours) {
      parts_.log.error("request failed", fields);
    } else {
      parts_.log.info("request refused", fields);
    }
  }
  if (call.route == nullptr || (outcome.ok() && !call.audited)) return;
  security::AuditEvent event = call.event;
  const bool report = call.route->action == "report";
  event.action = std::string(call.route->action) + (!outcome.ok() ? ".refuse"
                                                    : report      ? ".accept"
                                                                  : ".grant");
  event.outcome = !outcome.ok() ? security::AuditOutcome::refused
                  : report      ? security::AuditOutcome::observed
                                : security::AuditOutcome::granted;
  if (event.node.empty() && call.caller) event.node = call.caller->node;
  event.remote_ip = call.remote_ip;
  event.request_id = call.request_id;
  if (!outcome.ok()) event.reason = outcome.error().code();
  parts_.audit.record(std::move(event));
}

}  // namespace convoy::tracker
