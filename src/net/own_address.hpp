#pragma once

#include <string>
#include <vector>

namespace convoy::net {

/// The addresses that this machine's interfaces have now, textual.
std::vector<std::string> own_addresses();

}  // namespace convoy::net
