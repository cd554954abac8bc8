#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

// What is decided about a delivery, apart from making it.
namespace convoy::registry {

enum class Verdict : std::uint8_t {
  delivered,
  again,   ///< 408, 425, 429, 5xx: it may work later
  refused  ///< all else, redirects with it
};
Verdict judge(int status);

struct RetryRules {
  Duration least = std::chrono::seconds(1);
  Duration most = std::chrono::seconds(60);
  Duration most_asked = std::chrono::minutes(5);  ///< of Retry-After
};
/// The wait after so many failures in a row (at least 1): doubling, of which a random half, and not
/// shorter than what the receiver asked for.
Duration retry_delay(unsigned failures, std::optional<Duration> asked, Random&, const RetryRules&);
/// Seconds of a Retry-After header; nothing for a date, which needs a common clock.
std::optional<Duration> parse_retry_after(std::string_view);

/// The value of Convoy-Signature, "t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hex>".
std::string event_signature(const Secret& key, UnixTime now, std::string_view body);

}  // namespace convoy::registry
