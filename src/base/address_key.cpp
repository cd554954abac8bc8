#include "base/address_key.hpp"

#include <arpa/inet.h>

namespace convoy {

std::string address_key(std::string_view ip) {
  std::string text(ip);
  in6_addr address{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    char dotted[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address.s6_addr[12], dotted, sizeof dotted);
    return dotted;
  }
  return {reinterpret_cast<const char*>(address.s6_addr), 8};
}

}  // namespace convoy
