#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "swarm/core/types.hpp"

namespace convoy::swarm::core {

/// Bytes per second: the fastest part of the last second. A maximum, as a path's bandwidth shows
/// only when something is there to be sent. A part is 50 ms or, where less than 32 blocks come in
/// that, as much longer as it takes up to a second: blocks of a dozen connections that share a link
/// become whole in the same moment, which must not pass for bandwidth.
class RateMeter {
 public:
  void add(std::uint64_t bytes, Instant now);
  /// 0 until a period is over.
  double rate(Instant now) const;

 private:
  static constexpr std::int64_t kPeriods = 20;
  static constexpr Duration kPeriod = std::chrono::milliseconds(50);
  static std::int64_t period(Instant t) { return t.time_since_epoch() / kPeriod; }

  std::uint64_t most_in(std::int64_t periods, std::int64_t from, std::int64_t to) const;

  std::array<std::uint32_t, kPeriods> bytes_{};
  std::int64_t first_ = 0;  ///< period of the first entry after a second without one
  std::int64_t last_ = -1;  ///< period of the newest entry
};

/// How long answers take: the least of the last two to four minutes (the path without queues, which
/// a whole download may keep full) and a moving average (with them).
class LatencyMeter {
 public:
  void add(Duration sample, Instant now);
  std::optional<Duration> least() const;
  Duration average() const { return average_; }

 private:
  std::optional<Duration> before_, current_;
  Instant since_{};
  Duration average_{0};
};

}  // namespace convoy::swarm::core
