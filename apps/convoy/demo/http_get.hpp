#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/stream.hpp"

namespace convoy::demo {

/// The body of a plain GET that was answered 200, at most 4 MiB. Blocks.
Result<std::string> http_get(const net::Endpoint&, const std::string& path, const Clock&);

}  // namespace convoy::demo
