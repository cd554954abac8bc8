#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::agent {

/// The target of a CONNECT (RFC 9110 9.3.6): host and port, both written out.
struct Authority {
  std::string host;  ///< lower case, IPv6 without brackets
  std::uint16_t port = 0;
};
/// At most 255 characters of host. Error "authority_invalid".
Result<Authority> parse_authority(std::string_view);

/// Loopback and link-local addresses: what a proxy that others may use must not open to them.
bool is_local_address(std::string_view ip);

}  // namespace convoy::agent
