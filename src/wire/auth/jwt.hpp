#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace convoy::auth {

/// A compact JWS (RFC 7515) taken apart, nothing verified yet. Pure text work: signature
/// and chain are checked by crypto and security.
struct ParsedJwt {
  std::string algorithm;     ///< header "alg": compare with what the verifier expects
  std::string type;          ///< header "typ", "" when absent
  std::string key_id;        ///< header "kid", "" when absent
  std::vector<Bytes> chain;  ///< header "x5c", DER, leaf first; empty when absent
  boost::json::object claims;
  std::string signing_input;  ///< the bytes that were signed
  Bytes signature;
};

/// At most 16 KiB, x5c at most 6 certificates, "crit" refused, strict base64url. A header
/// key "jwk" or "jku" is never looked at. Error code "token_malformed" (unauthorized).
Result<ParsedJwt> parse_jwt(std::string_view compact);

/// header and claims to "base64url(header).base64url(claims)".
std::string jwt_signing_input(const boost::json::object& header, const boost::json::object& claims);
std::string jwt_compact(std::string_view signing_input, ByteView signature);

/// exp, nbf and iat of RFC 7519 with `leeway` seconds; exp must be there.
/// Errors "token_expired", "token_not_yet_valid", "token_malformed".
Status check_times(const boost::json::object& claims, UnixTime now, std::chrono::seconds leeway);
/// "aud" as text or list (RFC 7519 4.1.3).
bool audience_has(const boost::json::object& claims, std::string_view audience);

}  // namespace convoy::auth
