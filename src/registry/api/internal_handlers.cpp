#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"

namespace convoy::registry {
namespace {

void record(Context& api, Call& call, const std::string& cluster,
            const Result<StatedBlob>& stated) {
  security::AuditEvent event;
  event.action = stated ? "metadata.grant" : "metadata.refuse";
  event.outcome = stated ? security::AuditOutcome::granted : security::AuditOutcome::refused;
  event.actor = "tracker of " + cluster;
  event.remote_ip = call.exchange.remote().ip;
  event.digest = call.digest;
  event.repository = call.repository().str();
  event.request_id = call.exchange.request_id();
  if (!stated) event.reason = stated.error().code();
  api.audit.record(std::move(event));
}

}  // namespace

net::Task<Status> get_metadata(Context& api, Call& call) {
  const auto& tls = call.exchange.tls();
  std::optional<std::string> cluster;
  if (tls) cluster = tracker_cluster(tls->peer_chain, api.metadata.clusters(), api.clock.wall());
  if (!cluster) {
    security::AuditEvent event;
    event.action = "metadata.refuse";
    event.outcome = security::AuditOutcome::refused;
    event.remote_ip = call.exchange.remote().ip;
    event.repository = call.repository().str();
    event.reason = tls && !tls->peer_chain.empty() ? "tracker_unknown" : "certificate_missing";
    event.request_id = call.exchange.request_id();
    api.audit.record(std::move(event));
    co_return not_found("route_unknown");
  }
  auto digest = oci::Digest::parse(call.route.last);
  if (!digest) co_return std::move(digest).error();
  call.digest = digest->str();
  auto job = [&api, &call, d = *digest] { return api.metadata.state(call.repository(), d); };
  auto stated = co_await api.pool.run(std::move(job));
  record(api, call, *cluster, stated);
  if (!stated) co_return std::move(stated).error();
  if (api.metadata.on_stated) api.metadata.on_stated(*cluster, stated->meta);
  std::string body = R"({"metadata":)";
  append_json_string(body, stated->statement);
  body += '}';
  http::ResponseHead head = head_of(200);
  head.headers.set("Content-Type", "application/json");
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

}  // namespace convoy::registry
