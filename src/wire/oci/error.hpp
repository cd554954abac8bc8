#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::oci {

/// What an Error becomes at a distribution API edge: status and JSON body
/// {"errors":[{"code","message","detail"}]} (distribution-spec, "Error codes").
struct ErrorReply {
  int status = 500;
  std::string body;
};

/// The one place where an Error becomes an OCI answer. Operator detail does not leave the
/// host for `internal` errors; every other class keeps its stable code and a sentence.
ErrorReply to_oci_error(const Error&);

}  // namespace convoy::oci
