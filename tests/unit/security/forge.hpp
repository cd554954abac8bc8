#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/jws.hpp"
#include "wire/auth/jwt.hpp"
#include "wire/json.hpp"

namespace convoy::test {

inline boost::json::object claims_of(const std::string& compact) {
  return auth::parse_jwt(compact).value().claims;
}

/// The token's claims with one replaced (null: taken out), signed anew by `signer`: all that a
/// forger with a real signing key could do.
inline std::string resign(const std::string& compact, const crypto::Signer& signer,
                          std::string_view claim, boost::json::value value) {
  const auto parsed = auth::parse_jwt(compact).value();
  auto claims = parsed.claims;
  if (value.is_null()) {
    claims.erase(claim);
  } else {
    claims[claim] = std::move(value);
  }
  return crypto::sign_jwt(signer, parsed.type, claims);
}

}  // namespace convoy::test
