#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::cli {

/// The pulls of an agent, those under way before those that ended, from the body of GET
/// /convoy/v1/status (docs/protocols/agent-http.md), as a table with a line of totals of what
/// ended. Error "status_invalid".
Result<std::string> status_table(std::string_view json);

}  // namespace convoy::cli
