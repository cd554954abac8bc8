#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "security/ca/join_token.hpp"

namespace convoy::cli {

/// `convoy node token list`: no secret is known any more, so none can show.
std::string join_token_table(const std::vector<security::JoinTokenRecord>&, UnixTime now);

}  // namespace convoy::cli
