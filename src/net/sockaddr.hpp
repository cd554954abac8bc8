#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

#include "net/stream.hpp"

namespace convoy::net {

/// Internal to net: an address in the form of the socket calls.
struct SockAddr {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Nothing when `ip` is not a textual IPv4 or IPv6 address.
std::optional<SockAddr> make_sockaddr(const std::string& ip, std::uint16_t port);
/// IPv4 that came through an IPv6 socket is IPv4.
Endpoint endpoint_of(const sockaddr_storage&);

/// CongestionControl of a socket that is to connect to this address or to listen there.
void set_congestion_control(int fd, const Endpoint& at, const std::string& name);

}  // namespace convoy::net
