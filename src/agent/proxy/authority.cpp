#include "agent/proxy/authority.hpp"

#include <algorithm>
#include <charconv>

namespace convoy::agent {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}
bool ipv6_char(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

}  // namespace

Result<Authority> parse_authority(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("authority_invalid", "no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Authority out;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, out.port);
  if (error != std::errc() || stop != end || out.port == 0) {
    return invalid("authority_invalid", "port");
  }
  const bool literal = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (literal) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.size() > 255) return invalid("authority_invalid", "length of the host");
  out.host.assign(host);
  std::transform(out.host.begin(), out.host.end(), out.host.begin(), lower);
  const bool good = literal ? std::all_of(out.host.begin(), out.host.end(), ipv6_char)
                            : std::all_of(out.host.begin(), out.host.end(), name_char);
  if (!good) return invalid("authority_invalid", "character in the host");
  return out;
}

bool is_local_address(std::string_view ip) {
  if (ip.starts_with("::ffff:")) ip.remove_prefix(7);
  const bool v4 = ip.starts_with("127.") || ip.starts_with("169.254.") || ip.starts_with("0.");
  return v4 || ip == "::1" || ip == "::" || ip.starts_with("fe8") || ip.starts_with("fe9") ||
         ip.starts_with("fea") || ip.starts_with("feb");
}

}  // namespace convoy::agent
