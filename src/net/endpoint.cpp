#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

#include "net/tcp.hpp"

namespace convoy::net {
namespace {

bool is_ip(int family, const std::string& text) {
  in6_addr address{};
  return ::inet_pton(family, text.c_str(), &address) == 1;
}

bool host_name_ok(std::string_view name) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= 253 && name.front() != '-' && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), ok);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&] { return invalid("endpoint_invalid", "not host:port"); };
  const auto colon = text.rfind(':');
  if (text.size() > 300 || colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  Endpoint out;
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || port.size() > 5 || ec != std::errc{} || end != port.data() + port.size()) {
    return bad();
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    out.ip = host.substr(1, host.size() - 2);
    if (!is_ip(AF_INET6, out.ip)) return bad();
    return out;
  }
  if (!host_name_ok(host)) return bad();
  out.ip = host;
  return out;
}

}  // namespace convoy::net
