#include "agent/fetch/ticket_desk.hpp"

#include <algorithm>
#include <array>

#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

// A tracker that is gone must not cost every pull its time-out.
constexpr Duration kRest = std::chrono::seconds(5);

bool starts_with_any(std::string_view code, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return code.starts_with(p); });
}

swarm::Grant to_grant(clients::TicketReply reply) {
  swarm::Grant grant;
  grant.ticket = std::move(reply.ticket);
  grant.expires_in = reply.expires_in;
  grant.interval = reply.interval;
  grant.zone = std::move(reply.zone);
  grant.zone_index = reply.zone_index;
  grant.zone_count = reply.zone_count;
  for (auto& peer : reply.peers) grant.peers.push_back({std::move(peer.address), peer.origin});
  return grant;
}

bool out_of_reach(const Error& error) {
  return error.kind() == ErrorClass::timeout || error.code() == "tracker_unreachable";
}

}  // namespace

TicketFailure classify_ticket_error(const Error& error) {
  const std::string_view code = error.code();
  switch (error.kind()) {
    case ErrorClass::unauthorized:
      return starts_with_any(code, {"token_", "authorization_", "registry_un"})
                 ? TicketFailure::refused
                 : TicketFailure::no_swarm;
    case ErrorClass::denied:
      // Words about this node's own standing; any other denial is about the pull.
      return starts_with_any(code, {"node_", "client_certificate", "identity_", "spiffe_"})
                 ? TicketFailure::no_swarm
                 : TicketFailure::refused;
    case ErrorClass::not_found:
      return code == "blob_unknown" ? TicketFailure::refused : TicketFailure::no_swarm;
    default:
      return TicketFailure::no_swarm;
  }
}

net::Task<Result<SwarmPass>> TicketDesk::ask(BlobAsk ask, std::optional<Secret> authorization,
                                             Deadline deadline) {
  const ClusterLinkPtr link = cluster_.link();
  if (!link) co_return unavailable("not_enrolled");
  auto reply = co_await call(link, ask, std::move(authorization), {}, deadline);
  if (!reply) co_return std::move(reply).error();
  co_return check(*link, ask, std::move(*reply));
}

net::Task<Result<swarm::Grant>> TicketDesk::renew(BlobAsk ask, std::optional<Secret> authorization,
                                                  std::optional<bt::InfoHash> known,
                                                  Deadline deadline) {
  const ClusterLinkPtr link = cluster_.link();
  if (!link) co_return unavailable("not_enrolled");
  auto reply = co_await call(link, ask, std::move(authorization), known, deadline);
  if (!reply) co_return std::move(reply).error();
  if (reply->ticket.empty()) co_return to_grant(std::move(*reply));
  auto pass = check(*link, ask, std::move(*reply));
  if (!pass) co_return std::move(pass).error();
  co_return std::move(pass->grant);
}

net::Task<Result<clients::TicketReply>> TicketDesk::call(ClusterLinkPtr link, BlobAsk ask,
                                                         std::optional<Secret> authorization,
                                                         std::optional<bt::InfoHash> known,
                                                         Deadline deadline) {
  if (!link->registries.contains(ask.upstream->host.str())) {
    co_return unavailable("registry_not_in_cluster");
  }
  if (resting_ && clock_.steady() < rest_until_) co_return unavailable("tracker_resting");
  clients::TicketRequest request{
      .registry = ask.upstream->host.str(),
      .repository = ask.repository,
      .digest = ask.digest,
      .authorization = std::move(authorization),
      .act = {},
      .port = 0,
      .request_id = ask.request_id,
      .zone = link->enrolment.zone.common() ? zone_ : link->enrolment.zone,
      .known = known};
  request.act.emplace_back("leech");
  request.act.emplace_back("seed");
  if (link->engine) request.port = link->engine->local().port;
  auto reply = co_await link->tracker->ticket(std::move(request), deadline);
  if (!reply) {
    if (out_of_reach(reply.error())) {
      if (!resting_) log_.warn("tracker out of reach", {{"reason", reply.error().text()}});
      resting_ = true;
      rest_until_ = clock_.steady() + kRest;
    }
  } else {
    resting_ = false;
  }
  co_return reply;
}

Result<SwarmPass> TicketDesk::check(const ClusterLink& link, const BlobAsk& ask,
                                    clients::TicketReply reply) {
  const auto refuse = [&](const std::string& reason) {
    security::AuditEvent event;
    event.action = "metadata.refuse";
    event.outcome = security::AuditOutcome::refused;
    event.node = link.enrolment.id;
    event.digest = ask.digest.str();
    event.repository = ask.repository.str();
    event.reason = reason;
    event.request_id = ask.request_id;
    audit_.record(std::move(event));
    log_.error("metadata of a blob refused",
               {{"digest", ask.digest.str()}, {"reason", reason}, {"request_id", ask.request_id}});
    return unavailable("swarm_metadata_refused", reason);
  };
  const auto& verifier = link.registries.at(ask.upstream->host.str());
  auto statement = verifier.verify(reply.metadata, ask.digest);
  if (!statement) return refuse(statement.error().code());
  const Bytes info = bt::encode_info(statement->meta, link.enrolment.root_pem);
  SwarmPass pass{.meta = statement->meta, .info_hash = crypto::sha256(info), .grant = {}};
  if (reply.info_hash != to_hex(pass.info_hash)) return refuse("metadata_wrong_info_hash");
  pass.grant = to_grant(std::move(reply));
  return pass;
}

}  // namespace convoy::agent
