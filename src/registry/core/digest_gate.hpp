#pragma once

#include <array>
#include <mutex>

#include "wire/oci/digest.hpp"

namespace convoy::registry {

/// Holds apart those who store a blob and link it from those who find it without a link and remove
/// it: each closes the gate of the digest for the whole of it. Taken on workers only, before any
/// lock of the store or the database. Digests share a few locks, so nobody may close two at once.
class DigestGate {
 public:
  [[nodiscard]] std::unique_lock<std::mutex> close(const oci::Digest& digest) {
    return std::unique_lock(locks_[digest.raw()[1] % locks_.size()]);
  }

 private:
  std::array<std::mutex, 64> locks_;
};

}  // namespace convoy::registry
