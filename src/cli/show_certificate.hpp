#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace convoy::cli {

/// What the certificates of a PEM text say, for people. Private keys in it are passed over.
/// Error "certificate_invalid".
Result<std::string> show_certificates(std::string_view pem, UnixTime now);

}  // namespace convoy::cli
