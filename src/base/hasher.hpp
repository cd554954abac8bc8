#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

namespace convoy {

/// An incremental hash. Lets storage hash while it writes without knowing a
/// cryptographic library. One thread at a time.
class Hasher {
 public:
  virtual ~Hasher() = default;
  virtual void update(ByteView) = 0;
  /// The hash of all bytes so far; the object may only be destroyed afterwards.
  virtual Bytes finish() = 0;
};

}  // namespace convoy
