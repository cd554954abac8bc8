#include "tracker/authority/ticket_desk.hpp"

#include <algorithm>

namespace convoy::tracker {

Status may_be_origin(const Caller& caller, const Registry& registry) {
  if (caller.id.kind != security::NodeKind::origin) return denied("origin_only");
  if (!registry.origin_name.empty() && registry.origin_name != caller.id.name) {
    return denied("origin_wrong_registry", caller.node + " is not the origin of " + registry.host);
  }
  return {};
}

net::Task<Result<TicketGiven>> TicketDesk::give(Caller caller, TicketCall call,
                                                std::string request_id) {
  const Registry* registry = parts_.registries.find(call.registry);
  if (registry == nullptr) co_return not_found("registry_unknown", call.registry);
  if (caller.id.kind == security::NodeKind::origin) co_return give_origin(caller, call, *registry);
  if (!call.repository) co_return invalid("body_invalid", "repository");

  auto right = co_await parts_.pulls.check(*registry, *call.repository, call.digest,
                                           call.authorization, request_id);
  if (!right) co_return std::move(right).error();
  auto blob = co_await parts_.metadata.get(*registry, *call.repository, call.digest, request_id);
  if (!blob) co_return std::move(blob).error();
  co_return issue(caller, call, std::move(*blob), std::move(right->subject));
}

Result<TicketGiven> TicketDesk::give_origin(const Caller& caller, const TicketCall& call,
                                            const Registry& registry) {
  auto allowed = may_be_origin(caller, registry);
  if (!allowed) return std::move(allowed).error();
  if (call.act.leech) return denied("origin_cannot_leech");
  if (call.repository || call.authorization) {
    return invalid("body_invalid", "an origin names neither repository nor authorization");
  }
  auto blob = parts_.metadata.known(registry.host, call.digest);
  if (!blob) return not_found("blob_unknown", "no node has asked for it");
  return issue(caller, call, std::move(blob), {});
}

Result<TicketGiven> TicketDesk::issue(const Caller& caller, const TicketCall& call,
                                      KnownBlobPtr blob, std::string subject) {
  const SteadyTime now = parts_.clock.steady();
  const auto certificate_left = caller.certificate.not_after() - parts_.clock.wall();
  const auto lifetime = std::min(parts_.lifetime, certificate_left);
  if (lifetime < std::chrono::seconds(1)) return unauthorized("certificate_expired");

  GrantTable::Grant grant{blob->info_hash, call.registry, call.act.leech, call.zone.str(),
                          now + lifetime};
  auto granted = parts_.grants.add(caller.node, std::move(grant), now);
  if (!granted) return std::move(granted).error();
  HandOut peers;
  if (caller.id.kind == security::NodeKind::origin) {
    if (call.port != 0) {
      const bt::PeerEndpoint address{caller.ip, call.port};
      parts_.peers.register_origin(call.registry, address, call.zone.str(), now);
    }
  } else {
    PeerCall seat;
    seat.node = caller.node;
    seat.address = {caller.ip, call.port};
    seat.registry = call.registry;
    seat.zone = call.zone.str();
    seat.seed = !call.act.leech;
    auto handed = parts_.peers.call(blob->info_hash, std::move(seat), now);
    if (!handed) return std::move(handed).error();
    peers = std::move(*handed);
  }
  security::TicketGrant order{
      caller.id, caller.certificate.thumbprint(), call.digest, blob->info_hash, call.act, lifetime,
      call.zone};
  std::string ticket = call.known == blob->info_hash ? "" : parts_.issuer.issue(order);
  return TicketGiven{std::move(ticket), lifetime,  std::move(blob),
                     std::move(peers),  call.zone, std::move(subject)};
}

}  // namespace convoy::tracker
