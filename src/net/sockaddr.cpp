#include "net/sockaddr.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace convoy::net {

std::optional<SockAddr> make_sockaddr(const std::string& ip, std::uint16_t port) {
  SockAddr out;
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
    return out;
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
    return out;
  }
  return std::nullopt;
}

Endpoint endpoint_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  Endpoint out;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    out.port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    out.port = ntohs(v6.sin6_port);
  }
  out.ip = text;
  return out;
}

void set_congestion_control(int fd, const Endpoint& at, const std::string& name) {
  const bool here = at.loopback();
  // BBR, the default of many machines, has a timer send each segment: three times the CPU.
  const std::string& chosen = name.empty() && here ? "reno" : name;
  if (chosen.empty()) return;
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, chosen.data(),
               static_cast<socklen_t>(chosen.size()));
  if (here) return;
  // Any limit makes the kernel pace. Unpaced, long paths carry much less (ADR 13).
  const std::uint64_t bytes_per_second = std::uint64_t{1} << 40;
  ::setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &bytes_per_second, sizeof bytes_per_second);
}

}  // namespace convoy::net
