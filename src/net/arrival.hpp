#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.hpp"

namespace convoy::net {

/// Internal to net: whether bulk comes in over a connection so slowly that it is worth sleeping
/// through, and a small receive window does not hold its sender back (ADR 19). So it is taken to be
/// until it shows otherwise; then never again.
class Arrival {
 public:
  bool slow() const { return objections_ < kEnough; }
  /// Between two looks at what has come.
  Duration nap() const {
    return std::chrono::duration_cast<Duration>(std::clamp(time_ / 4, kLeastNap, kLongestNap));
  }
  /// `bytes` (not 0) came in `elapsed`; round trips as the kernel measured them, smoothed and
  /// least.
  void took(std::size_t bytes, Duration elapsed, Duration round_trip, Duration least_round_trip) {
    if (!slow()) return;
    const Milliseconds now = elapsed * (kUnit / static_cast<double>(bytes));
    time_ += (std::min(now, 2 * time_) - time_) / 4;
    const bool fast = time_ < kFast;
    // With no queue on the way it is the window that holds the sender back.
    const bool unqueued = 4 * round_trip < 5 * least_round_trip;
    objections_ = fast || unqueued ? objections_ + 1 : 0;
  }

 private:
  using Milliseconds = std::chrono::duration<double, std::milli>;
  static constexpr double kUnit = 16384;
  static constexpr Milliseconds kFast{2}, kLeastNap{1}, kLongestNap{50};
  static constexpr int kEnough = 8;

  Milliseconds time_{8};  ///< that kUnit bytes take
  int objections_ = 0;    ///< in a row
};

}  // namespace convoy::net
