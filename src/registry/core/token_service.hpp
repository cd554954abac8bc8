#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/turn.hpp"
#include "net/worker_pool.hpp"
#include "security/identity/brute_force.hpp"
#include "security/identity/good_logins.hpp"
#include "security/identity/users.hpp"
#include "security/token/registry_token.hpp"
#include "wire/auth/challenge.hpp"
#include "wire/auth/scope.hpp"

namespace convoy::registry {

struct TokenRequest {
  std::optional<auth::BasicCredential> credential;  ///< none: anonymous
  std::vector<auth::Access> wanted;
  std::string remote_ip;
};

struct TokenReply {
  security::IssuedRegistryToken issued;
  std::string subject;
  std::vector<auth::Access> granted;  ///< of what was wanted; perhaps nothing
};

/// Decides on tokens (registry token authentication): who it is, what of the wish is granted.
/// Guessing is slowed by user and by address; passwords are checked on a worker, a few at a time,
/// and one check serves all who log in by the same credential within a minute. One thread.
class TokenService {
 public:
  TokenService(security::RegistryTokenIssuer, std::shared_ptr<const security::UserDirectory>,
               net::Executor, net::WorkerPool&, const Clock&, Random&);

  void replace_users(std::shared_ptr<const security::UserDirectory> users) {
    users_ = std::move(users);
    good_.clear();
  }

  /// As of now; a copy outlives a replacement.
  std::shared_ptr<const security::UserDirectory> users() const { return users_; }

  /// Errors: unauthorized "credentials_invalid"; exhausted "credentials_slowed" (the detail is the
  /// number of seconds to wait) and "logins_busy".
  net::Task<Result<TokenReply>> grant(TokenRequest);

 private:
  net::Task<Status> authenticate(auth::BasicCredential, std::string remote_ip);
  net::Task<Status> verify(auth::BasicCredential, std::string key);

  security::RegistryTokenIssuer issuer_;
  std::shared_ptr<const security::UserDirectory> users_;
  net::WorkerPool& pool_;
  const Clock& clock_;
  security::BruteForceGuard guard_;
  security::GoodLogins good_;
  net::Turns checking_;  ///< by keys of GoodLogins
};

}  // namespace convoy::registry
