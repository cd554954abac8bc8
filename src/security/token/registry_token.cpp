#include "security/token/registry_token.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "security/token/jwt_claims.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

constexpr std::string_view kType = "JWT";
constexpr std::size_t kIdBytes = 16;
constexpr std::chrono::seconds kLongest{24 * 3600};
constexpr detail::TokenFamily kFamily{"token"};

Error malformed(std::string detail) { return kFamily.refused("malformed", std::move(detail)); }

boost::json::array access_claim(const std::vector<auth::Access>& list) {
  boost::json::array out;
  for (const auto& access : list) {
    boost::json::array actions;
    for (const auto& action : access.actions) actions.emplace_back(action);
    boost::json::object entry;
    entry["type"] = access.type;
    entry["name"] = access.name;
    entry["actions"] = std::move(actions);
    out.emplace_back(std::move(entry));
  }
  return out;
}

std::optional<auth::Access> read_entry(const boost::json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const auto& entry = value.get_object();
  const auto type = wire::json_string(entry, "type");
  const auto name = wire::json_string(entry, "name");
  const auto* actions = entry.if_contains("actions");
  if (!type || !name || actions == nullptr || !actions->is_array()) return std::nullopt;
  auth::Access out{*type, *name, {}};
  for (const auto& action : actions->get_array()) {
    if (!action.is_string()) return std::nullopt;
    out.actions.emplace(std::string_view(action.get_string()));
  }
  return out;
}

/// An absent list grants nothing; one that cannot be read makes the token worthless.
std::optional<std::vector<auth::Access>> read_access(const boost::json::object& claims) {
  std::vector<auth::Access> out;
  const auto* list = claims.if_contains("access");
  if (list == nullptr || list->is_null()) return out;
  if (!list->is_array()) return std::nullopt;
  for (const auto& value : list->get_array()) {
    auto entry = read_entry(value);
    if (!entry) return std::nullopt;
    out.push_back(std::move(*entry));
  }
  return out;
}

}  // namespace

IssuedRegistryToken RegistryTokenIssuer::issue(std::string_view subject,
                                               const std::vector<auth::Access>& access) const {
  const UnixTime now = clock_->wall();
  const auto seconds = [](UnixTime t) { return t.time_since_epoch().count(); };
  boost::json::object claims;
  claims["iss"] = issuer_;
  claims["sub"] = subject;
  claims["aud"] = audience_;
  claims["iat"] = seconds(now);
  claims["nbf"] = seconds(now);
  claims["exp"] = seconds(now + lifetime_);
  claims["jti"] = random_->hex(kIdBytes);
  claims["access"] = access_claim(access);
  return {crypto::sign_jwt(signer_, kType, claims), now, lifetime_};
}

Result<RegistryToken> RegistryTokenVerifier::verify(std::string_view compact) const {
  const UnixTime now = clock_->wall();
  const auto token = auth::parse_jwt(compact);
  if (!token) return malformed(token.error().detail());
  const auto signature = crypto::verify_jwt(*token, kType, *signers_, now);
  if (!signature) return signature.error();
  const auto& claims = token->claims;
  if (wire::json_string(claims, "iss") != issuer_) return kFamily.refused("issuer");
  if (!auth::audience_has(claims, audience_)) return kFamily.refused("audience");
  const auto times = detail::check_times(kFamily, claims, now, kLongest);
  if (!times) return unauthorized(times.error().code(), times.error().detail());
  const auto subject = wire::json_string(claims, "sub");
  auto access = read_access(claims);
  if (!subject) return malformed("sub");
  if (!access) return malformed("access");
  return RegistryToken{*subject, std::move(*access), times->issued_at, times->expires,
                       wire::json_string(claims, "jti").value_or("")};
}

}  // namespace convoy::security
