#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace convoy::security {

struct BruteForceLimits {
  std::uint32_t free_failures = 5;                ///< in a row, before the first wait
  Duration first_wait = std::chrono::seconds(1);  ///< doubles with each further failure
  /// A user's wait stays short, or strangers could lock them out.
  Duration max_user_wait = std::chrono::seconds(30);
  Duration max_ip_wait = std::chrono::minutes(15);
  Duration forget_after = std::chrono::hours(1);  ///< without a failure
  std::size_t max_entries = 50'000;               ///< of users and of addresses, each
};

/// Slows down password guessing by user name and by address (IPv6: by /64). Pure: time comes
/// in. One thread at a time.
class BruteForceGuard {
 public:
  explicit BruteForceGuard(BruteForceLimits limits = {});

  /// How long this attempt has to wait; nothing when it may be tried now.
  std::optional<Duration> wait_for(std::string_view user, std::string_view ip, SteadyTime now);
  /// A failed attempt. True when it is the one that completes a row of `free_failures` for the user
  /// or the address: worth an alert.
  bool failed(std::string_view user, std::string_view ip, SteadyTime now);
  /// A good one: the user's row ends. The address's does not, or an attacker with one account
  /// of their own could go on for ever.
  void succeeded(std::string_view user);

  std::size_t size() const { return users_.size() + ips_.size(); }

 private:
  struct Entry {
    std::uint32_t failures = 0;
    SteadyTime last{};
    SteadyTime blocked_until{};
    std::list<std::string>::iterator age;
  };
  /// Least recently failed first out.
  struct Table {
    std::unordered_map<std::string, Entry> entries;
    std::list<std::string> order;  ///< oldest failure first
    std::size_t size() const { return entries.size(); }
  };

  void forget_old(Table&, SteadyTime now);
  std::optional<Duration> wait_in(Table&, const std::string& key, SteadyTime now);
  bool count(Table&, const std::string& key, Duration max_wait, SteadyTime now);

  BruteForceLimits limits_;
  Table users_;
  Table ips_;
};

}  // namespace convoy::security
