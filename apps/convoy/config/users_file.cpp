#include "config/users_file.hpp"

#include <set>

namespace convoy::config {

namespace {

constexpr std::size_t kMaxUsers = 100'000;

bool user_name(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::vector<UserLine> parse_users(std::string_view text, Faults& faults) {
  std::vector<UserLine> users;
  std::set<std::string, std::less<>> seen;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !user_name(name)) {
      faults.push_back(
          {number, "", "is no line of the form name:hash",
           "Names are made of letters, digits, '.', '_', '@' and '-'; hashes come from "
           "convoy user hash."});
    } else if (name == "anonymous") {
      faults.push_back({number, "", "anonymous cannot have a password", ""});
    } else if (!seen.insert(std::string(name)).second) {
      faults.push_back({number, "", "names the user " + std::string(name) + " a second time", ""});
    } else if (users.size() == kMaxUsers) {
      faults.push_back({number, "", "is one user more than the limit of 100000", ""});
      return users;
    } else {
      users.push_back({std::string(name), std::string(line.substr(colon + 1)), number});
    }
  }
  return users;
}

}  // namespace convoy::config
