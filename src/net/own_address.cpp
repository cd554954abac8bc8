#include "net/own_address.hpp"

#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>

#include "net/sockaddr.hpp"

namespace convoy::net {
namespace {

std::string text_of(const sockaddr* address) {
  const int family = address == nullptr ? AF_UNSPEC : address->sa_family;
  if (family != AF_INET && family != AF_INET6) return {};
  sockaddr_storage storage{};
  std::memcpy(&storage, address, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  return endpoint_of(storage).ip;
}

}  // namespace

std::vector<std::string> own_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, ::freeifaddrs);
  std::vector<std::string> out;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    std::string text = text_of(entry->ifa_addr);
    if (!text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace convoy::net
