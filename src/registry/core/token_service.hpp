#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "login/password_desk.hpp"
#include "net/worker_pool.hpp"
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

/// Decides on tokens (registry token authentication): who it is, what of the wish is granted. One
/// thread.
class TokenService {
 public:
  TokenService(security::RegistryTokenIssuer, std::shared_ptr<const security::UserDirectory>,
               net::Executor, net::WorkerPool&, const Clock&, Random&, net::LoginAlert);

  void replace_users(std::shared_ptr<const security::UserDirectory> users) {
    logins_.replace_users(std::move(users));
  }
  std::shared_ptr<const security::UserDirectory> users() const { return logins_.users(); }

  /// Errors: those of PasswordDesk::check().
  net::Task<Result<TokenReply>> grant(TokenRequest);

 private:
  security::RegistryTokenIssuer issuer_;
  login::PasswordDesk logins_;
};

}  // namespace convoy::registry
