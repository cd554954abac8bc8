#include "security/identity/users.hpp"

#include <algorithm>

#include "crypto/password.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::security {
namespace {

constexpr std::string_view kEverybody = "anonymous";
constexpr std::string_view kLoggedIn = "*";
constexpr std::size_t kMaxUserLength = 64;
constexpr std::size_t kMaxPatternLength = 255;

// argon2id with the parameters of crypto::hash_password, of a password nobody knows.
constexpr std::string_view kDecoy =
    "$argon2id$v=19$m=19456,t=2,p=1$Y29udm95LWRlY295LXNhbA$"
    "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

const std::set<std::string>& all_actions() {
  static const std::set<std::string> actions = {"pull", "push", "delete"};
  return actions;
}

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool valid_user(std::string_view name) {
  if (name.empty() || name.size() > kMaxUserLength || name == kEverybody) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-';
  });
}

bool valid_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.size() > kMaxPatternLength) return false;
  return pattern.find("***") == std::string_view::npos &&
         std::all_of(pattern.begin(), pattern.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-' || c == '/' || c == '*';
         });
}

Status check_grant(const UserGrant& grant) {
  if (!valid_pattern(grant.repositories)) return invalid("grant_invalid", grant.repositories);
  if (grant.actions.empty() || grant.users.empty()) {
    return invalid("grant_invalid", grant.repositories + ": no actions or no users");
  }
  for (const auto& action : grant.actions) {
    if (action != "*" && !all_actions().contains(action)) {
      return invalid("grant_invalid", grant.repositories + ": action " + action);
    }
  }
  for (const auto& user : grant.users) {
    if (user != kLoggedIn && user != kEverybody && !valid_user(user)) {
      return invalid("grant_invalid", grant.repositories + ": user " + user);
    }
  }
  return {};
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view name) {
  // reach[i]: the pattern so far can have used up the first i characters of the name.
  std::vector<char> reach(name.size() + 1, 0);
  reach[0] = 1;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] != '*') {
      for (std::size_t i = name.size(); i > 0; --i) {
        reach[i] = static_cast<char>(reach[i - 1] != 0 && name[i - 1] == pattern[p]);
      }
      reach[0] = 0;
      continue;
    }
    const bool across = p + 1 < pattern.size() && pattern[p + 1] == '*';
    if (across) ++p;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      if (reach[i - 1] != 0 && (across || name[i - 1] != '/')) reach[i] = 1;
    }
  }
  return reach[name.size()] != 0;
}

Result<UserDirectory> UserDirectory::make(std::vector<User> users, std::vector<UserGrant> grants) {
  UserDirectory out;
  for (auto& user : users) {
    if (!valid_user(user.name)) return invalid("user_invalid", user.name);
    if (!crypto::acceptable_hash(user.password_hash)) {
      return invalid("user_hash_refused", user.name);
    }
    if (!out.users_.emplace(user.name, std::move(user.password_hash)).second) {
      return invalid("user_invalid", user.name + " stands twice");
    }
  }
  for (const auto& grant : grants) {
    if (auto good = check_grant(grant); !good) return std::move(good).error();
  }
  out.grants_ = std::move(grants);
  // One of the real hashes, so that an unknown name takes as long as a known one.
  out.decoy_hash_ = out.users_.empty() ? std::string(kDecoy) : out.users_.begin()->second;
  return out;
}

Status UserDirectory::verify(std::string_view user, const Secret& password) const {
  const auto found = users_.find(user);
  const bool known = found != users_.end();
  const bool matches = crypto::verify_password(password, known ? found->second : decoy_hash_);
  return known && matches ? Status() : Status(unauthorized("credentials_invalid"));
}

bool UserDirectory::concerns(const UserGrant& grant, const std::optional<std::string>& user) const {
  if (grant.users.contains(std::string(kEverybody))) return true;
  // A name that is no longer in the directory has lost its grants, whatever it once held.
  if (!user || !users_.contains(*user)) return false;
  return grant.users.contains(std::string(kLoggedIn)) || grant.users.contains(*user);
}

std::set<std::string> UserDirectory::actions_on(const std::optional<std::string>& user,
                                                std::string_view repository) const {
  std::set<std::string> out;
  for (const auto& grant : grants_) {
    if (!concerns(grant, user) || !matches_glob(grant.repositories, repository)) continue;
    const auto& given = grant.actions.contains("*") ? all_actions() : grant.actions;
    out.insert(given.begin(), given.end());
  }
  return out;
}

std::vector<auth::Access> UserDirectory::granted(const std::optional<std::string>& user,
                                                 const std::vector<auth::Access>& wanted) const {
  std::vector<auth::Access> out;
  for (const auto& ask : wanted) {
    std::set<std::string> actions;
    if (ask.type == "repository" && oci::RepoName::parse(ask.name)) {
      actions = actions_on(user, ask.name);
      if (!ask.actions.contains("*")) {
        std::erase_if(actions, [&](const std::string& a) { return !ask.actions.contains(a); });
      }
    } else if (ask.type == "registry" && ask.name == "catalog" && ask.actions.contains("*")) {
      const bool sees_all = std::any_of(grants_.begin(), grants_.end(), [&](const UserGrant& g) {
        return g.repositories == "**" && concerns(g, user) &&
               (g.actions.contains("pull") || g.actions.contains("*"));
      });
      if (sees_all) actions = {"*"};
    }
    if (!actions.empty()) out.push_back({ask.type, ask.name, std::move(actions)});
  }
  return out;
}

}  // namespace convoy::security
