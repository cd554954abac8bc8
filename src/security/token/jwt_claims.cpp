#include "security/token/jwt_claims.hpp"

#include "crypto/jws.hpp"
#include "security/token/ticket.hpp"
#include "wire/json.hpp"

namespace convoy::security::detail {
namespace {

// Year 9999: beyond it nothing is a time, and sums of seconds stay far from overflow.
constexpr std::int64_t kLatest = 253402300799;

std::optional<UnixTime> time_claim(const boost::json::object& claims, std::string_view name) {
  const auto value = wire::json_int(claims, name);
  if (!value || *value < 0 || *value > kLatest) return std::nullopt;
  return UnixTime(std::chrono::seconds(*value));
}

}  // namespace

std::string TokenFamily::code(std::string_view what) const {
  std::string out(name);
  out += '_';
  out += what;
  return out;
}

Result<auth::ParsedJwt> open_jwt(const TokenFamily& family, std::string_view compact,
                                 std::string_view typ, crypto::SignerTrust& signers, UnixTime now) {
  auto parsed = auth::parse_jwt(compact);
  if (!parsed) return family.malformed(parsed.error().detail());
  const auto good = crypto::verify_jwt(*parsed, typ, signers, now);
  if (good) return parsed;
  const auto& code = good.error().code();
  if (code == "token_algorithm" || code == "token_type") return family.malformed(code);
  return family.refused("signature", good.error().text());
}

Result<TokenTimes> check_times(const TokenFamily& family, const boost::json::object& claims,
                               UnixTime now, std::chrono::seconds longest) {
  const auto iat = time_claim(claims, "iat");
  const auto exp = time_claim(claims, "exp");
  const bool has_nbf = claims.contains("nbf");
  const auto nbf = has_nbf ? time_claim(claims, "nbf") : iat;
  if (!iat || !exp || !nbf) return family.malformed("iat, nbf or exp");
  if (*exp <= *iat || *exp - *iat > longest) return family.malformed("exp too far from iat");
  if (now >= *exp + kTokenLeeway) return family.refused("expired");
  if (now + kTokenLeeway < *nbf || now + kTokenLeeway < *iat) {
    return family.refused("not_yet_valid");
  }
  return TokenTimes{*iat, *nbf, *exp};
}

}  // namespace convoy::security::detail
