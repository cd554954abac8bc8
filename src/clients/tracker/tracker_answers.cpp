#include "clients/tracker/tracker_answers.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "wire/bt/bencode.hpp"
#include "wire/json.hpp"

namespace convoy::clients {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxPeers = 1000;
constexpr std::size_t kMaxCode = 64;
constexpr std::int64_t kMaxZoneNodes = 1'000'000;

Error bad_answer(std::string detail) {
  return unavailable("tracker_answer_invalid", std::move(detail));
}

Result<json::object> parse(std::string_view body) {
  wire::JsonLimits limits;
  limits.max_bytes = kMaxTrackerAnswer;
  auto object = wire::parse_json_object(body, limits);
  if (!object) return bad_answer(object.error().text());
  return object;
}

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCode &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

ErrorClass class_of(int status) {
  switch (status) {
    case 400:
      return ErrorClass::invalid;
    case 401:
      return ErrorClass::unauthorized;
    case 403:
      return ErrorClass::denied;
    case 404:
      return ErrorClass::not_found;
    case 409:
      return ErrorClass::conflict;
    case 413:
      return ErrorClass::too_large;
    case 429:
      return ErrorClass::exhausted;
    case 504:
      return ErrorClass::timeout;
    default:
      return ErrorClass::unavailable;
  }
}

std::optional<TicketPeer> parse_peer(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto ip = wire::json_string(*object, "ip");
  const auto port = wire::json_int(*object, "port");
  if (!ip || ip->empty() || ip->size() > 45 || !port || *port < 1 || *port > 65535) {
    return std::nullopt;
  }
  const bool textual = std::all_of(ip->begin(), ip->end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
           c == ':';
  });
  if (!textual) return std::nullopt;
  TicketPeer peer;
  peer.address.ip = *ip;
  peer.address.port = static_cast<std::uint16_t>(*port);
  peer.origin = wire::json_bool(*object, "origin").value_or(false);
  return peer;
}

/// Left out by trackers that know of no zones.
std::optional<bt::Zone> parse_zone(const json::object& object) {
  if (!object.contains("zone")) return bt::Zone();
  const auto text = wire::json_string(object, "zone");
  if (!text) return std::nullopt;
  auto zone = bt::Zone::parse(*text);
  return zone ? std::optional(*std::move(zone)) : std::nullopt;
}

bool parse_place(const json::object& object, TicketReply& out) {
  const auto member = [&](std::string_view key, std::int64_t otherwise) {
    return object.contains(key) ? wire::json_int(object, key).value_or(-1) : otherwise;
  };
  const std::int64_t index = member("zone_index", 0);
  const std::int64_t count = member("zone_count", 1);
  if (index < 0 || count <= index || count > kMaxZoneNodes) return false;
  out.zone_index = static_cast<std::uint32_t>(index);
  out.zone_count = static_cast<std::uint32_t>(count);
  return true;
}

Status parse_right(const json::object& object, TicketReply& out) {
  auto ticket = wire::json_string(object, "ticket");
  auto metadata = wire::json_string(object, "metadata");
  const auto expires = wire::json_int(object, "expires_in");
  if (!ticket || !metadata || !expires) return bad_answer("a member is missing");
  if (*expires < 1 || *expires > 3600) return bad_answer("a time is out of range");
  out.ticket = std::move(*ticket);
  out.metadata = std::move(*metadata);
  out.expires_in = std::chrono::seconds(*expires);
  return {};
}

Result<std::vector<RegistryTrust>> parse_registries(const json::object& object) {
  std::vector<RegistryTrust> out;
  const auto* member = object.if_contains("registries");
  const auto* list = member == nullptr ? nullptr : member->if_array();
  if (list == nullptr) return bad_answer("no registries");
  for (const auto& entry : *list) {
    const auto* one = entry.if_object();
    if (one == nullptr) return bad_answer("a registry is no object");
    auto host = wire::json_string(*one, "host");
    auto issuer = wire::json_string(*one, "issuer");
    auto roots = wire::json_string(*one, "roots");
    if (!host || !issuer || !roots) return bad_answer("a registry lacks a member");
    out.push_back({std::move(*host), std::move(*issuer), std::move(*roots)});
  }
  return out;
}

}  // namespace

Error tracker_error(int status, std::string_view body) {
  std::string code = "tracker_error";
  std::string detail = "answered " + std::to_string(status);
  const auto object = parse(body);
  const auto* member = object.ok() ? object->if_contains("error") : nullptr;
  const auto* error = member == nullptr ? nullptr : member->if_object();
  if (error != nullptr) {
    const auto said = wire::json_string(*error, "code");
    if (said && is_code(*said)) code = *said;
    const auto message = wire::json_string(*error, "message");
    if (message) detail = message->substr(0, 256);
  }
  return Error(class_of(status), std::move(code), std::move(detail));
}

Result<Enrolment> parse_enrolment(std::string_view body) {
  auto object = parse(body);
  if (!object) return std::move(object).error();
  auto id = wire::json_string(*object, "id");
  auto chain = wire::json_string(*object, "chain");
  auto root = wire::json_string(*object, "root");
  auto cluster = wire::json_string(*object, "cluster");
  auto domain = wire::json_string(*object, "trust_domain");
  if (!id || !chain || !root || !cluster || !domain) return bad_answer("a member is missing");
  auto zone = parse_zone(*object);
  if (!zone) return bad_answer("zone");
  auto registries = parse_registries(*object);
  if (!registries) return std::move(registries).error();
  Enrolment out;
  out.id = std::move(*id);
  out.chain_pem = std::move(*chain);
  out.root_pem = std::move(*root);
  out.cluster = std::move(*cluster);
  out.trust_domain = std::move(*domain);
  out.zone = std::move(*zone);
  out.registries = std::move(*registries);
  return out;
}

Result<TicketReply> parse_ticket_reply(std::string_view body,
                                       const std::optional<bt::InfoHash>& known) {
  auto object = parse(body);
  if (!object) return std::move(object).error();
  auto info_hash = wire::json_string(*object, "info_hash");
  const auto interval = wire::json_int(*object, "interval");
  const auto* member = object->if_contains("peers");
  const auto* peers = member == nullptr ? nullptr : member->if_array();
  if (!info_hash || !interval || peers == nullptr) return bad_answer("a member is missing");
  const auto hash = hash256_from_hex(*info_hash);
  if (!hash) return bad_answer("info_hash");
  if (*interval < 1 || *interval > 3600) return bad_answer("a time is out of range");
  if (peers->size() > kMaxPeers) return bad_answer("too many peers");
  auto zone = parse_zone(*object);
  if (!zone) return bad_answer("zone");
  TicketReply out;
  if (object->contains("ticket") || hash != known) {
    if (auto right = parse_right(*object, out); !right) return std::move(right).error();
  }
  if (!parse_place(*object, out)) return bad_answer("a place in the zone");
  out.zone = std::move(*zone);
  for (const auto& entry : *peers) {
    auto peer = parse_peer(entry);
    if (!peer) return bad_answer("a peer's address");
    out.peers.push_back(std::move(*peer));
  }
  out.info_hash = std::move(*info_hash);
  out.interval = std::chrono::seconds(*interval);
  return out;
}

Result<std::chrono::seconds> parse_interval(std::string_view body) {
  auto object = parse(body);
  if (!object) return std::move(object).error();
  const auto interval = wire::json_int(*object, "interval");
  if (!interval || *interval < 1 || *interval > 3600) return bad_answer("interval");
  return std::chrono::seconds(*interval);
}

Result<bt::AnnounceReply> parse_announce_answer(std::string_view body) {
  auto value = bt::decode_bencode(as_bytes(body));
  if (!value) return bad_answer(value.error().text());
  if (const auto* failure = value->find("failure reason")) {
    const auto* text = failure->text();
    return denied("announce_refused", text == nullptr ? "" : text->substr(0, 256));
  }
  auto reply = bt::decode_announce_reply(as_bytes(body));
  if (!reply) return bad_answer(reply.error().text());
  return reply;
}

}  // namespace convoy::clients
