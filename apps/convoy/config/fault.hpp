#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace convoy::config {

/// Something wrong in a configuration. Never holds the value of a secret.
struct Fault {
  int line = 0;         ///< 1 is the first; 0 when no line is to blame (a missing key's table)
  std::string key;      ///< full path, "registry.tls.key_file"; "" for the file itself
  std::string problem;  ///< what is wrong, after the key: "must be at least 60s, not 5s"
  std::string hint;     ///< what to do, a sentence; may be empty
};

using Faults = std::vector<Fault>;

/// "FILE:LINE: KEY: PROBLEM" and the hint on an indented line of its own, sorted by line.
std::string to_text(const Faults&, std::string_view file);

/// The candidate that `word` was probably meant to be; "" when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace convoy::config
