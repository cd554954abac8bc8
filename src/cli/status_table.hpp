#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::cli {

/// The recent pulls of an agent, from the body of GET /convoy/v1/status
/// (docs/protocols/agent-http.md), as a table with a line of totals. Error "status_invalid".
Result<std::string> status_table(std::string_view json);

}  // namespace convoy::cli
