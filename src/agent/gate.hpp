#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/service.hpp"
#include "base/secret.hpp"
#include "net/worker_pool.hpp"
#include "security/identity/brute_force.hpp"
#include "security/identity/good_logins.hpp"
#include "security/identity/users.hpp"

namespace convoy::agent {

/// Who may use a listener at all: basic authentication, before anything else is looked at.
/// One thread.
class Gate {
 public:
  /// Error "agent_option_invalid".
  static Result<Gate> make(const std::vector<AgentUser>&, net::WorkerPool&, const Clock&, Random&);

  /// Whether anybody is asked for a credential here.
  bool closed() const { return !users_.empty(); }
  /// `authorization`: the header's value. Errors: unauthorized "credentials_missing",
  /// "credentials_invalid"; exhausted "too_many_attempts". Good at once when not closed().
  net::Task<Status> check(std::optional<Secret> authorization, std::string remote_ip);

 private:
  Gate(security::UserDirectory users, net::WorkerPool& pool, const Clock& clock, Random& random)
      : users_(std::move(users)), pool_(&pool), clock_(&clock), good_(random) {}

  security::UserDirectory users_;
  net::WorkerPool* pool_;
  const Clock* clock_;
  security::BruteForceGuard guard_;
  security::GoodLogins good_;
};

}  // namespace convoy::agent
