#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace convoy::auth {

/// One challenge of WWW-Authenticate (RFC 9110 11.6.1); the scheme in lower case.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> params;  ///< keys in lower case; a token68 has the key ""
};
/// Several challenges may share a header. At most 16 KiB, 16 challenges, 32 parameters in each,
/// none twice. Error code "challenge_invalid".
Result<std::vector<Challenge>> parse_challenges(std::string_view);
/// `Bearer realm="…",service="…",…` with quoting; control characters are left out.
std::string to_header(const Challenge&);

/// What an Authorization header holds.
struct BasicCredential {
  std::string user;
  Secret password;
};
struct BearerCredential {
  Secret token;
};
/// Strict (RFC 7617, RFC 6750): one space, known scheme, valid base64, a colon, no trailing
/// bytes, at most 16 KiB. Everything else is the error "authorization_invalid" (unauthorized).
using Credential = std::variant<BasicCredential, BearerCredential>;
Result<Credential> parse_authorization(std::string_view);
std::string basic_header(std::string_view user, const Secret& password);

}  // namespace convoy::auth
