#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "security/token/registry_token.hpp"
#include "wire/auth/challenge.hpp"
#include "wire/auth/scope.hpp"

namespace convoy::registry {

/// Who asks, as the token says.
struct Caller {
  std::string subject;  ///< "" for anonymous
  std::vector<auth::Access> access;

  bool may(std::string_view repository, std::string_view action) const {
    return auth::allows(access, "repository", repository, action);
  }
};

/// Decides on requests to the distribution API by the Bearer token they carry; offline. Tokens
/// that verified are remembered until they expire, so that the many requests of one push or pull
/// cost one verification. One thread.
class AccessControl {
 public:
  AccessControl(security::RegistryTokenVerifier verifier, std::string service, const Clock& clock)
      : verifier_(std::move(verifier)), service_(std::move(service)), clock_(&clock) {}

  /// All errors are unauthorized: "token_missing", "authorization_invalid" (also for Basic: a
  /// password goes to the token service only), those of the verifier, "token_insufficient_scope".
  /// (Never 403: clients ask for a wider token at a 401.)
  Result<Caller> check(const std::optional<std::string_view>& authorization,
                       const std::vector<auth::Access>& needs);

  /// What goes into WWW-Authenticate beside such an error.
  auth::Challenge challenge(std::string realm, const std::vector<auth::Access>& needs,
                            const Error&) const;

 private:
  Result<security::RegistryToken> token_of(std::string_view authorization);

  security::RegistryTokenVerifier verifier_;
  std::string service_;
  const Clock* clock_;
  std::unordered_map<std::string, security::RegistryToken> verified_;  ///< by SHA-256 of the token
};

}  // namespace convoy::registry
