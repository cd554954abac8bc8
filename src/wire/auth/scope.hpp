#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace convoy::auth {

/// One entry of a token's access list and of a scope parameter: "repository:a/b:pull,push".
struct Access {
  std::string type;               ///< "repository" or "registry"
  std::string name;               ///< from the first to the last colon: may hold "host:port/…"
  std::set<std::string> actions;  ///< "pull", "push", "delete", "*"; others are kept, none grants

  auto operator<=>(const Access&) const = default;
  std::string str() const;
};

/// Blank-separated scopes; at most 64 of them and 16 KiB. A class, "repository(plugin)", is
/// dropped. Error code "scope_invalid".
Result<std::vector<Access>> parse_scope(std::string_view);

/// Whether the list allows the action ("*" allows each).
bool allows(const std::vector<Access>&, std::string_view type, std::string_view name,
            std::string_view action);

}  // namespace convoy::auth
