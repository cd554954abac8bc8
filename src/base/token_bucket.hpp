#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace convoy {

/// An account of bytes that fills at a rate. Whoever finds it not overdrawn may take any number of
/// bytes and overdraws it, so that one larger than what piles up passes too; in the long run the
/// rate holds exactly. Time comes in with each look; there must be one before anything is taken.
/// One thread.
class TokenBucket {
 public:
  /// Bytes per second; 0: no limit.
  explicit TokenBucket(std::uint64_t rate = 0) : rate_(rate), tokens_(burst()) {}

  std::uint64_t rate() const { return rate_; }
  void set_rate(std::uint64_t rate, SteadyTime now);
  /// Whether somebody may take something now.
  bool ready(SteadyTime now) { return wait(now) == Duration::zero(); }
  /// Until somebody may; zero when it is ready.
  Duration wait(SteadyTime now);
  void take(std::uint64_t bytes);
  /// What was taken and not used.
  void give_back(std::uint64_t bytes);

 private:
  double burst() const;
  void fill(SteadyTime now);

  std::uint64_t rate_;
  double tokens_;
  SteadyTime filled_{};
};

}  // namespace convoy
