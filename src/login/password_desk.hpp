#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/login_alert.hpp"
#include "net/turn.hpp"
#include "net/worker_pool.hpp"
#include "security/identity/brute_force.hpp"
#include "security/identity/good_logins.hpp"
#include "security/identity/users.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy::login {

/// Checks passwords. Guessing is slowed by user and by address, and told; passwords are checked on
/// a worker, 16 at a time, and one check serves all who log in by the same credential within a
/// minute. One thread.
class PasswordDesk {
 public:
  PasswordDesk(std::shared_ptr<const security::UserDirectory>, net::Executor, net::WorkerPool&,
               const Clock&, Random&, net::LoginAlert);

  void replace_users(std::shared_ptr<const security::UserDirectory>);
  /// As of now; a copy outlives a replacement.
  std::shared_ptr<const security::UserDirectory> users() const { return users_; }

  /// Errors: unauthorized "credentials_invalid"; exhausted "credentials_slowed" (the detail is the
  /// number of seconds to wait) and "logins_busy".
  net::Task<Status> check(auth::BasicCredential, std::string remote_ip);

 private:
  net::Task<Status> verify(auth::BasicCredential, std::string key);

  std::shared_ptr<const security::UserDirectory> users_;
  net::WorkerPool& pool_;
  const Clock& clock_;
  security::BruteForceGuard guard_;
  net::LoginAlert alert_;
  security::GoodLogins good_;
  net::Turns checking_;  ///< by keys of GoodLogins
};

}  // namespace convoy::login
