#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "wire/auth/scope.hpp"

namespace convoy::security {

struct User {
  std::string name;           ///< [A-Za-z0-9._@-], 1 to 64 characters, not "anonymous"
  std::string password_hash;  ///< one that crypto::acceptable_hash() takes
};

/// Gives `actions` on every repository that the pattern matches.
struct UserGrant {
  std::string repositories;       ///< "*" within a segment, "**" across: "team/*", "base/**"
  std::set<std::string> actions;  ///< "pull", "push", "delete", or "*" for all three
  std::set<std::string> users;    ///< names; "*" for each who logged in, "anonymous" for everybody
};

/// Whether `name` matches a pattern of UserGrant.
bool matches_glob(std::string_view pattern, std::string_view name);

/// The registry's users and what they may do. Immutable, safe from any thread.
class UserDirectory {
 public:
  /// Errors "user_invalid", "user_hash_refused", "grant_invalid", with the entry in the detail.
  static Result<UserDirectory> make(std::vector<User>, std::vector<UserGrant>);

  /// Slow on purpose: call on a worker. An unknown user costs what a known one does.
  /// Error (unauthorized) "credentials_invalid", always the same.
  Status verify(std::string_view user, const Secret& password) const;

  /// What of `wanted` the user (nothing: anonymous) may have; entries without any action are left
  /// out. "*" is answered with the actions granted, one by one. registry:catalog:* is for
  /// those who may pull "**".
  std::vector<auth::Access> granted(const std::optional<std::string>& user,
                                    const std::vector<auth::Access>& wanted) const;

  bool empty() const { return users_.empty(); }

 private:
  UserDirectory() = default;
  bool concerns(const UserGrant&, const std::optional<std::string>& user) const;
  std::set<std::string> actions_on(const std::optional<std::string>& user,
                                   std::string_view repository) const;

  std::map<std::string, std::string, std::less<>> users_;
  std::vector<UserGrant> grants_;
  std::string decoy_hash_;  ///< checked for unknown users; what it says is not used
};

}  // namespace convoy::security
