#include "wire/auth/jwt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "wire/json.hpp"

namespace convoy::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxToken = 16 * 1024;
constexpr std::size_t kMaxChain = 6;

Error malformed(std::string detail) { return unauthorized("token_malformed", std::move(detail)); }

Result<json::object> decode_part(std::string_view part) {
  const auto bytes = from_base64url(part);
  if (!bytes) return malformed("base64url");
  auto object = wire::parse_json_object(as_text(*bytes), {.max_bytes = kMaxToken});
  if (!object) return malformed(object.error().detail());
  return object;
}

/// A member that may be absent, but not of another type.
Result<std::string> optional_text(const json::object& header, std::string_view key) {
  if (!header.contains(key)) return std::string();
  auto text = wire::json_string(header, key);
  if (!text) return malformed("header member is not text");
  return *std::move(text);
}

Result<std::vector<Bytes>> read_chain(const json::object& header) {
  std::vector<Bytes> chain;
  const auto* member = header.if_contains("x5c");
  if (member == nullptr) return chain;
  const auto* list = member->if_array();
  if (list == nullptr || list->empty() || list->size() > kMaxChain) return malformed("x5c");
  for (const auto& element : *list) {
    const auto* text = element.if_string();
    // RFC 7515 4.1.6: standard base64 here, not base64url.
    auto der = text == nullptr ? std::nullopt : from_base64(std::string_view(*text));
    if (!der || der->empty()) return malformed("x5c certificate");
    chain.push_back(*std::move(der));
  }
  return chain;
}

Result<ParsedJwt> read_header(const json::object& header) {
  // No extension is understood here, and RFC 7515 4.1.11 demands refusal of those that are not.
  if (header.contains("crit")) return malformed("crit");
  auto algorithm = wire::json_string(header, "alg");
  if (!algorithm) return malformed("no alg");
  auto type = optional_text(header, "typ");
  if (!type) return std::move(type).error();
  auto key_id = optional_text(header, "kid");
  if (!key_id) return std::move(key_id).error();
  auto chain = read_chain(header);
  if (!chain) return std::move(chain).error();
  ParsedJwt jwt;
  jwt.algorithm = *std::move(algorithm);
  jwt.type = *std::move(type);
  jwt.key_id = *std::move(key_id);
  jwt.chain = *std::move(chain);
  return jwt;
}

/// A NumericDate that may be absent, but not of another form.
Result<std::optional<std::int64_t>> optional_date(const json::object& claims,
                                                  std::string_view key) {
  if (!claims.contains(key)) return std::optional<std::int64_t>();
  const auto date = wire::json_int(claims, key);
  if (!date) return malformed(std::string(key) + " is not an integer");
  return std::optional<std::int64_t>(*date);
}

}  // namespace

Result<ParsedJwt> parse_jwt(std::string_view compact) {
  if (compact.size() > kMaxToken) return malformed("too long");
  const auto first = compact.find('.');
  const auto second = first == std::string_view::npos ? first : compact.find('.', first + 1);
  if (second == std::string_view::npos) return malformed("not three parts");
  const auto header = decode_part(compact.substr(0, first));
  if (!header) return header.error();
  auto jwt = read_header(*header);
  if (!jwt) return jwt;
  auto claims = decode_part(compact.substr(first + 1, second - first - 1));
  if (!claims) return std::move(claims).error();
  // A fourth part fails here: '.' is no base64url.
  auto signature = from_base64url(compact.substr(second + 1));
  if (!signature) return malformed("signature");
  jwt->claims = *std::move(claims);
  jwt->signing_input = compact.substr(0, second);
  jwt->signature = *std::move(signature);
  return jwt;
}

std::string jwt_signing_input(const json::object& header, const json::object& claims) {
  return to_base64url(as_bytes(json::serialize(header))) + "." +
         to_base64url(as_bytes(json::serialize(claims)));
}

std::string jwt_compact(std::string_view signing_input, ByteView signature) {
  return std::string(signing_input) + "." + to_base64url(signature);
}

Status check_times(const json::object& claims, UnixTime now, std::chrono::seconds leeway) {
  const std::int64_t earliest = (now - leeway).time_since_epoch().count();
  const std::int64_t latest = (now + leeway).time_since_epoch().count();
  const auto exp = optional_date(claims, "exp");
  if (!exp) return exp.error();
  const auto nbf = optional_date(claims, "nbf");
  if (!nbf) return nbf.error();
  const auto iat = optional_date(claims, "iat");
  if (!iat) return iat.error();
  if (!exp->has_value()) return malformed("no exp");
  if (**exp <= earliest) return unauthorized("token_expired");
  if (nbf->value_or(latest) > latest) return unauthorized("token_not_yet_valid", "nbf");
  if (iat->value_or(latest) > latest) return unauthorized("token_not_yet_valid", "iat");
  return {};
}

bool audience_has(const json::object& claims, std::string_view audience) {
  const auto* aud = claims.if_contains("aud");
  if (aud == nullptr) return false;
  if (const auto* text = aud->if_string()) return std::string_view(*text) == audience;
  const auto* list = aud->if_array();
  if (list == nullptr) return false;
  for (const auto& element : *list) {
    const auto* text = element.if_string();
    if (text != nullptr && std::string_view(*text) == audience) return true;
  }
  return false;
}

}  // namespace convoy::auth
