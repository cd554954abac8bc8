#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace convoy::security {

/// Logins that were found good within the last minute, as salted hashes: checking a password is
/// slow on purpose, and a thousand nodes may log in by one credential at once. Bounded. One thread.
class GoodLogins {
 public:
  explicit GoodLogins(Random& random) : salt_(random.hex(16)) {}

  /// What stands for a login here; it is of no use to anybody else.
  std::string key_of(const Secret& login) const;
  bool knows(const std::string& key, SteadyTime now) const;
  void add(std::string key, SteadyTime now);
  /// Passwords may have changed.
  void clear() { until_.clear(); }

 private:
  std::string salt_;
  std::unordered_map<std::string, SteadyTime> until_;
};

}  // namespace convoy::security
