#include "wire/auth/scope.hpp"

#include <algorithm>

namespace convoy::auth {
namespace {

constexpr std::size_t kMaxText = 16 * 1024;
constexpr std::size_t kMaxScopes = 64;
constexpr std::size_t kMaxName = 512;

bool valid_action(std::string_view action) {
  if (action == "*") return true;
  return !action.empty() && action.size() <= 32 &&
         std::all_of(action.begin(), action.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

/// "repository(plugin)" is a repository: the class says nothing about rights.
std::string_view without_class(std::string_view type) {
  const auto open = type.find('(');
  if (open == std::string_view::npos || !type.ends_with(')')) return type;
  return type.substr(0, open);
}

Result<Access> parse_one(std::string_view text) {
  const auto first = text.find(':');
  const auto last = text.rfind(':');
  if (first == last) return invalid("scope_invalid", "not type:name:actions");
  Access access;
  access.type = without_class(text.substr(0, first));
  access.name = text.substr(first + 1, last - first - 1);
  if (access.type != "repository" && access.type != "registry") {
    return invalid("scope_invalid", "type");
  }
  if (!valid_name(access.name)) return invalid("scope_invalid", "name");
  auto actions = text.substr(last + 1);
  for (;;) {
    const auto comma = actions.find(',');
    const auto action = actions.substr(0, comma);
    if (!valid_action(action)) return invalid("scope_invalid", "action");
    access.actions.emplace(action);
    if (comma == std::string_view::npos) return access;
    actions.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string Access::str() const {
  std::string out = type + ":" + name + ":";
  bool first = true;
  for (const auto& action : actions) {
    if (!first) out += ',';
    out += action;
    first = false;
  }
  return out;
}

Result<std::vector<Access>> parse_scope(std::string_view text) {
  if (text.size() > kMaxText) return invalid("scope_invalid", "too long");
  std::vector<Access> list;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    if (list.size() == kMaxScopes) return invalid("scope_invalid", "too many scopes");
    auto access = parse_one(part);
    if (!access) return std::move(access).error();
    list.push_back(*std::move(access));
  }
  return list;
}

bool allows(const std::vector<Access>& list, std::string_view type, std::string_view name,
            std::string_view action) {
  return std::any_of(list.begin(), list.end(), [&](const Access& access) {
    return access.type == type && access.name == name &&
           (access.actions.contains(std::string(action)) || access.actions.contains("*"));
  });
}

}  // namespace convoy::auth
