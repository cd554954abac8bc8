#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/service.hpp"
#include "base/secret.hpp"
#include "login/password_desk.hpp"

namespace convoy::agent {

/// Who may use a listener at all: basic authentication, before anything else is looked at. Guessing
/// is slowed, and told. One thread.
class Gate {
 public:
  /// Error "agent_option_invalid".
  static Result<Gate> make(const std::vector<AgentUser>&, net::Executor, net::WorkerPool&,
                           const Clock&, Random&, net::LoginAlert);

  /// Whether anybody is asked for a credential here.
  bool closed() const { return logins_ != nullptr; }
  /// `authorization`: the header's value. Errors: unauthorized "credentials_missing", and those of
  /// PasswordDesk::check(). Good at once when not closed().
  net::Task<Status> check(std::optional<Secret> authorization, std::string remote_ip);

 private:
  std::unique_ptr<login::PasswordDesk> logins_;  ///< null: nobody is asked
};

}  // namespace convoy::agent
