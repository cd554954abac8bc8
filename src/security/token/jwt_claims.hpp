#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/signer_trust.hpp"
#include "wire/auth/jwt.hpp"

// What tickets, tokens and metadata statements have in common.
namespace convoy::security::detail {

/// The name of an error in one family: "expired" of "ticket" is "ticket_expired".
struct TokenFamily {
  std::string_view name;
  std::string code(std::string_view what) const;
  Error malformed(std::string detail) const {
    return invalid(code("malformed"), std::move(detail));
  }
  Error refused(std::string_view what, std::string detail = {}) const {
    return unauthorized(code(what), std::move(detail));
  }
};

/// Form, then chain and signature: "<family>_malformed" or "<family>_signature".
Result<auth::ParsedJwt> open_jwt(const TokenFamily&, std::string_view compact, std::string_view typ,
                                 crypto::SignerTrust&, UnixTime now);

struct TokenTimes {
  UnixTime issued_at{};
  UnixTime not_before{};  ///< issued_at when there is no nbf
  UnixTime expires{};
};
/// iat and exp must be there, exp after iat and at most `longest` after it, and now inside, with
/// leeway. "<family>_malformed", "_expired", "_not_yet_valid".
Result<TokenTimes> check_times(const TokenFamily&, const boost::json::object& claims, UnixTime now,
                               std::chrono::seconds longest);

}  // namespace convoy::security::detail
