#include "tracker/api/replies.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace convoy::tracker {

namespace json = boost::json;

std::string enrolment_json(const Enrolled& enrolled, const security::ClusterAuthority& authority,
                           const std::vector<clients::RegistryTrust>& registries) {
  json::array list;
  for (const auto& registry : registries) {
    json::object one;
    one["host"] = registry.host;
    one["issuer"] = registry.issuer;
    one["roots"] = registry.roots_pem;
    list.push_back(std::move(one));
  }
  json::object body;
  body["id"] = enrolled.id.str();
  body["chain"] = enrolled.chain_pem;
  body["root"] = authority.root().pem();
  body["cluster"] = authority.cluster();
  body["trust_domain"] = authority.trust_domain();
  if (!enrolled.zone.empty()) body["zone"] = enrolled.zone;
  body["registries"] = std::move(list);
  return json::serialize(body);
}

std::string ticket_json(const TicketGiven& given) {
  json::array peers;
  for (const HandedPeer& peer : given.peers.peers) {
    json::object one;
    one["ip"] = peer.address.ip;
    one["port"] = peer.address.port;
    one["origin"] = peer.origin;
    peers.push_back(std::move(one));
  }
  json::object body;
  if (!given.ticket.empty()) {
    body["ticket"] = given.ticket;
    body["expires_in"] = given.expires_in.count();
    body["metadata"] = given.blob->statement;
  }
  body["info_hash"] = to_hex(given.blob->info_hash);
  body["interval"] = given.peers.interval.count();
  body["zone"] = given.zone.str();
  body["zone_index"] = given.peers.zone_index;
  body["zone_count"] = given.peers.zone_count;
  body["peers"] = std::move(peers);
  return json::serialize(body);
}

std::string interval_json(std::chrono::seconds interval) {
  json::object body;
  body["interval"] = interval.count();
  return json::serialize(body);
}

}  // namespace convoy::tracker
