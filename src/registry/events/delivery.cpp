#include "registry/events/delivery.hpp"

#include <algorithm>
#include <charconv>

#include "crypto/hmac.hpp"

namespace convoy::registry {

Verdict judge(int status) {
  if (status >= 200 && status < 300) return Verdict::delivered;
  if (status >= 500 || status == 408 || status == 425 || status == 429) return Verdict::again;
  return Verdict::refused;
}

Duration retry_delay(unsigned failures, std::optional<Duration> asked, Random& random,
                     const RetryRules& rules) {
  constexpr unsigned kMaxDoublings = 20;
  const unsigned doublings = std::min(failures > 0 ? failures - 1 : 0, kMaxDoublings);
  const Duration whole = std::min(rules.least * (1U << doublings), rules.most);
  const auto half = static_cast<std::uint64_t>(whole.count() / 2);
  const Duration own = whole - Duration(random.below(half + 1));
  return std::max(own, std::min(asked.value_or(Duration::zero()), rules.most_asked));
}

std::optional<Duration> parse_retry_after(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::string event_signature(const Secret& key, UnixTime now, std::string_view body) {
  const std::string time = std::to_string(now.time_since_epoch().count());
  std::string signed_text = time + '.';
  signed_text += body;
  const Hash256 mac = crypto::hmac_sha256(as_bytes(key.reveal()), as_bytes(signed_text));
  return "t=" + time + ",v1=" + to_hex(mac);
}

}  // namespace convoy::registry
