#pragma once

#include <cstddef>

#include "base/bytes.hpp"

namespace convoy::net::tls {

/// Internal to net: follows the records in a stream of TLS bytes by their headers (RFC 8446 5.1).
class RecordTrack {
 public:
  /// Returns how many headers became whole.
  std::size_t feed(ByteView);
  /// What is still to come of a record whose header is known; 0 in between.
  std::size_t missing() const { return header_ == 0 ? body_ : 0; }

 private:
  std::size_t header_ = 0;  ///< bytes of a header that is not whole
  std::size_t body_ = 0;
};

}  // namespace convoy::net::tls
