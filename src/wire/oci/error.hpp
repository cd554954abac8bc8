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

/// The one place where an Error becomes an OCI answer. Every class but `internal` keeps its
/// stable code as detail.reason. The operator's detail goes out, after a sentence, only where
/// it speaks of the request itself: invalid, too_large, denied, conflict.
ErrorReply to_oci_error(const Error&);

}  // namespace convoy::oci
