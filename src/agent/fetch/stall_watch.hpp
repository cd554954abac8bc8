#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace convoy::agent {

/// Decides when a waiting reader has waited long enough for the swarm: `stall` without a byte of
/// any kind. While other pieces keep coming the reader's own may take as long as so many of them
/// do, three to six times `stall`: a second source would only burden the registry. A crowd that
/// misses one piece must not ask for it at once, on the line that serves the swarm: each node waits
/// longer by a share of its own, and the first to get the piece passes it on. Pure: time comes in.
class StallWatch {
 public:
  static constexpr int kPieces = 128;

  /// `share`: of the wait, in [0, 1), added to it.
  StallWatch(Duration stall, std::uint32_t piece_length, double share, SteadyTime now)
      : stall_(stall), piece_length_(piece_length), share_(share), began_(now) {}

  /// The reader got on.
  void moved(SteadyTime now) { reader_ = now; }
  /// What the swarm has brought so far, in all.
  void swarm_bytes(std::uint64_t total, SteadyTime now) {
    if (total != total_) swarm_ = now;
    total_ = total;
  }
  bool stalled(SteadyTime now) const {
    const bool silent = now - std::max(reader_, swarm_) >= longer(stall_);
    return silent || now - reader_ >= longer(patience());
  }
  /// No source has brought anything for so long that the client is better off elsewhere.
  bool hopeless(SteadyTime now) const { return now - reader_ >= 2 * longer(patience()); }

 private:
  Duration patience() const {
    if (total_ == 0) return 3 * stall_;
    const double pieces = static_cast<double>(total_) / piece_length_;
    const std::chrono::duration<double> all((swarm_ - began_) * (kPieces / pieces));
    return std::clamp(std::chrono::duration_cast<Duration>(all), 3 * stall_, 6 * stall_);
  }
  Duration longer(Duration wait) const {
    return wait + std::chrono::duration_cast<Duration>(wait * share_);
  }

  Duration stall_;
  std::uint32_t piece_length_;
  double share_;
  SteadyTime began_;
  SteadyTime reader_ = began_, swarm_ = began_;
  std::uint64_t total_ = 0;
};

}  // namespace convoy::agent
