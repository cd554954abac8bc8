#pragma once

#include <string>

#include "base/result.hpp"

namespace convoy::tracker {

struct ErrorReply {
  int status = 500;
  std::string body;  ///< {"error":{"code","message"}}
};

/// The one place where an Error becomes an answer of the tracker's JSON API. The code goes out, the
/// detail never; an internal error is only "internal".
ErrorReply to_tracker_error(const Error&);

/// The same for BEP 3's "failure reason".
std::string to_failure_reason(const Error&);

}  // namespace convoy::tracker
