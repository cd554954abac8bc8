#include "tracker/api/requests.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "wire/json.hpp"

namespace convoy::tracker {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxReason = 64;
constexpr std::int64_t kMaxCount = 1'000'000;

Error bad(std::string_view member) { return invalid("body_invalid", std::string(member)); }

Result<json::object> open(std::string_view body) {
  wire::JsonLimits limits;
  limits.max_bytes = 64 * 1024;
  limits.max_depth = 8;
  return wire::parse_json_object(body, limits);
}

/// A member that may be left out, but not be of another type.
Result<std::string> optional_text(const json::object& object, std::string_view key) {
  if (!object.contains(key)) return std::string();
  auto text = wire::json_string(object, key);
  if (!text) return bad(key);
  return std::move(*text);
}

std::optional<std::uint16_t> port_of(const json::object& object, std::int64_t lowest) {
  const auto port = wire::json_int(object, "port");
  if (!port || *port < lowest || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

Result<std::string> registry_of(const json::object& object) {
  const auto text = wire::json_string(object, "registry");
  if (!text) return bad("registry");
  auto host = oci::RegistryHost::parse(*text);
  if (!host) return std::move(host).error();
  return host->str();
}

Result<bt::Zone> zone_of(const json::object& object) {
  auto text = optional_text(object, "zone");
  if (!text) return std::move(text).error();
  auto zone = bt::Zone::parse(*text);
  if (!zone) return bad("zone");
  return std::move(*zone);
}

Result<security::TicketActions> actions_of(const json::object& object) {
  const auto* member = object.if_contains("act");
  const auto* list = member == nullptr ? nullptr : member->if_array();
  if (list == nullptr || list->empty() || list->size() > 2) return bad("act");
  security::TicketActions act;
  for (const auto& entry : *list) {
    const auto* word = entry.if_string();
    if (word == nullptr) return bad("act");
    bool* which = *word == "leech" ? &act.leech : *word == "seed" ? &act.seed : nullptr;
    if (which == nullptr || *which) return bad("act");
    *which = true;
  }
  return act;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxReason &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

}  // namespace

Result<EnrolCall> parse_enrol(std::string_view body) {
  auto object = open(body);
  if (!object) return std::move(object).error();
  auto token = wire::json_string(*object, "token");
  auto csr = wire::json_string(*object, "csr");
  if (!token) return bad("token");
  if (!csr) return bad("csr");
  auto name = optional_text(*object, "name");
  if (!name) return std::move(name).error();
  auto zone = zone_of(*object);
  if (!zone) return std::move(zone).error();
  if (name->size() > kMaxName) return bad("name");
  EnrolCall out;
  out.token = Secret(std::move(*token));
  out.name = std::move(*name);
  out.csr_pem = std::move(*csr);
  out.zone = std::move(*zone);
  return out;
}

Result<std::string> parse_renew(std::string_view body) {
  auto object = open(body);
  if (!object) return std::move(object).error();
  auto csr = wire::json_string(*object, "csr");
  if (!csr) return bad("csr");
  return std::move(*csr);
}

Result<TicketCall> parse_ticket(std::string_view body) {
  auto object = open(body);
  if (!object) return std::move(object).error();
  auto registry = registry_of(*object);
  if (!registry) return std::move(registry).error();
  const auto digest_text = wire::json_string(*object, "digest");
  if (!digest_text) return bad("digest");
  auto digest = oci::Digest::parse(*digest_text);
  if (!digest) return std::move(digest).error();
  auto act = actions_of(*object);
  if (!act) return std::move(act).error();
  auto zone = zone_of(*object);
  if (!zone) return std::move(zone).error();
  TicketCall out{std::move(*registry), {}, *digest, {}, *act, 0, std::move(*zone)};
  if (object->contains("repository")) {
    const auto text = wire::json_string(*object, "repository");
    if (!text) return bad("repository");
    auto repo = oci::RepoName::parse(*text);
    if (!repo) return std::move(repo).error();
    out.repository = std::move(*repo);
  }
  if (object->contains("authorization")) {
    auto text = wire::json_string(*object, "authorization");
    if (!text) return bad("authorization");
    out.authorization = Secret(std::move(*text));
  }
  if (object->contains("known")) {
    const auto text = wire::json_string(*object, "known");
    if (!text) return bad("known");
    out.known = hash256_from_hex(*text);
    if (!out.known) return bad("known");
  }
  if (object->contains("port")) {
    const auto port = port_of(*object, 0);
    if (!port) return bad("port");
    out.port = *port;
  }
  return out;
}

Result<ReportCall> parse_report(std::string_view body) {
  auto object = open(body);
  if (!object) return std::move(object).error();
  const auto hash_text = wire::json_string(*object, "info_hash");
  const auto hash = hash_text ? hash256_from_hex(*hash_text) : std::nullopt;
  if (!hash) return bad("info_hash");
  const auto node_text = wire::json_string(*object, "node");
  if (!node_text) return bad("node");
  const auto node = security::SpiffeId::parse(*node_text);
  if (!node) return bad("node");
  auto reason = wire::json_string(*object, "reason");
  if (!reason || !is_word(*reason)) return bad("reason");
  const std::int64_t piece = wire::json_int(*object, "piece").value_or(0);
  const std::int64_t count = wire::json_int(*object, "count").value_or(1);
  if (piece < 0 || piece > UINT32_MAX) return bad("piece");
  if (count < 1 || count > kMaxCount) return bad("count");
  ReportCall out;
  out.info_hash = *hash;
  out.node = node->str();
  out.reason = std::move(*reason);
  out.piece = static_cast<std::uint32_t>(piece);
  out.count = static_cast<std::uint32_t>(count);
  return out;
}

Result<OriginCall> parse_origin(std::string_view body) {
  auto object = open(body);
  if (!object) return std::move(object).error();
  auto registry = registry_of(*object);
  if (!registry) return std::move(registry).error();
  const auto port = port_of(*object, 1);
  if (!port) return bad("port");
  auto zone = zone_of(*object);
  if (!zone) return std::move(zone).error();
  OriginCall out;
  out.registry = std::move(*registry);
  out.port = *port;
  out.zone = std::move(*zone);
  return out;
}

}  // namespace convoy::tracker
