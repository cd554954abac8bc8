#pragma once

#include "base/bytes.hpp"

namespace convoy::crypto {

/// HMAC-SHA256 (RFC 2104), with a key of any length.
Hash256 hmac_sha256(ByteView key, ByteView message);

}  // namespace convoy::crypto
