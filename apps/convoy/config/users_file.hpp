#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/fault.hpp"

namespace convoy::config {

struct UserLine {
  std::string name;
  std::string hash;
  int line = 0;
};

/// A users file: lines `name:hash`, blank lines and lines that begin with '#'. Names are 1 to 64 of
/// [A-Za-z0-9._@-], each once; "anonymous" is no user. Faults never show a hash. At most 100,000
/// users. Whether a hash is strong enough is for the caller to check.
std::vector<UserLine> parse_users(std::string_view text, Faults& faults);

}  // namespace convoy::config
