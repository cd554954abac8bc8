#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace convoy::cli {

/// One line from standard input, without echo after `prompt` when that is a terminal. 8 to 128
/// bytes. Error "password_unfit" with a sentence for people in the detail.
Result<Secret> read_password(const std::string& prompt);

}  // namespace convoy::cli
