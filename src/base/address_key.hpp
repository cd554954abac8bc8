#pragma once

#include <string>
#include <string_view>

namespace convoy {

/// What counts as one client: the textual address; of IPv6 the /64, which one host owns as a
/// whole; of an IPv4 address mapped into IPv6 the IPv4 one.
std::string address_key(std::string_view ip);

}  // namespace convoy
