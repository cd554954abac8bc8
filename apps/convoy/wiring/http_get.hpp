#pragma once

#include <string>

#include "base/result.hpp"
#include "wire/http/message.hpp"

namespace convoy::wiring {

/// One GET within 5 s, for operations listeners. Blocks. The body of a 200, at most 16 MiB. Errors:
/// those of connecting; "http_status" (unavailable) for any other status.
Result<std::string> http_get(const http::Url&);

}  // namespace convoy::wiring
