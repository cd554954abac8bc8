#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/service.hpp"
#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "net/worker_pool.hpp"
#include "security/identity/brute_force.hpp"
#include "security/identity/users.hpp"

namespace convoy::agent {

/// Who may use a listener at all: basic authentication, before anything else is looked at.
/// A credential that was found good is remembered (as a salted hash) for a minute, since checking a
/// password is slow on purpose. One thread.
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
  Gate(security::UserDirectory users, net::WorkerPool& pool, const Clock& clock, std::string salt)
      : users_(std::move(users)), pool_(&pool), clock_(&clock), salt_(std::move(salt)) {}

  std::string key_of(const Secret&) const;
  void remember(std::string key);

  security::UserDirectory users_;
  net::WorkerPool* pool_;
  const Clock* clock_;
  std::string salt_;
  security::BruteForceGuard guard_;
  std::unordered_map<std::string, SteadyTime> good_until_;
};

}  // namespace convoy::agent
