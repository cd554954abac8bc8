#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "wire/http/message.hpp"

namespace convoy::http {
namespace {

constexpr std::size_t kMaxUrl = 8 * 1024;

/// A registered name or IPv4 address in the characters a certificate can name.
bool plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::str() const { return (tls ? "https://" : "http://") + authority() + target; }

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return invalid("url_invalid", "too long");
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return invalid("url_invalid", "syntax");
  const boost::urls::url_view& view = *parsed;
  const auto scheme = view.scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
    return invalid("url_invalid", "scheme");
  }
  if (!view.has_authority() || view.has_userinfo() || view.has_fragment()) {
    return invalid("url_invalid", "user info, fragment or no authority");
  }
  Url url;
  url.tls = scheme == boost::urls::scheme::https;
  const bool ipv6 = view.host_type() == boost::urls::host_type::ipv6;
  const auto host = view.encoded_host();
  url.host = lower(std::string_view(host.data(), host.size()));
  if (ipv6) url.host = url.host.substr(1, url.host.size() - 2);
  if (!ipv6 && !plain_host(url.host)) return invalid("url_invalid", "host");
  url.port = url.tls ? 443 : 80;
  if (view.has_port()) {
    const auto port = port_of(std::string_view(view.port().data(), view.port().size()));
    if (!port) return invalid("url_invalid", "port");
    url.port = *port;
  }
  const auto target = view.encoded_resource();
  url.target = std::string(target.data(), target.size());
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  return url;
}

}  // namespace convoy::http
