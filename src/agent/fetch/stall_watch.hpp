#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace convoy::agent {

/// Decides when a waiting reader has waited long enough for the swarm. The limit is `stall` without
/// a byte of any kind; while other pieces keep coming the reader's own piece may take three times
/// that, since a second source would then only burden the registry. Pure: time comes in.
class StallWatch {
 public:
  StallWatch(Duration stall, SteadyTime now) : stall_(stall), reader_(now), swarm_(now) {}

  /// The reader got on.
  void moved(SteadyTime now) { reader_ = now; }
  /// What the swarm has brought so far, in all.
  void swarm_bytes(std::uint64_t total, SteadyTime now) {
    if (total != total_) swarm_ = now;
    total_ = total;
  }
  bool stalled(SteadyTime now) const {
    const bool silent = now - reader_ >= stall_ && now - swarm_ >= stall_;
    return silent || now - reader_ >= 3 * stall_;
  }
  /// No source has brought anything for so long that the client is better off elsewhere.
  bool hopeless(SteadyTime now) const { return now - reader_ >= 6 * stall_; }

 private:
  Duration stall_;
  SteadyTime reader_;
  SteadyTime swarm_;
  std::uint64_t total_ = 0;
};

}  // namespace convoy::agent
