#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace convoy {

using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
/// Seconds since 1970-01-01T00:00:00Z, as JWT and X.509 count them.
using UnixTime = std::chrono::sys_seconds;

/// The only source of time. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixTime wall() const override;
  SteadyTime steady() const override;
};

/// RFC 3339 in UTC, "2026-01-02T03:04:05Z".
std::string to_rfc3339(UnixTime);

/// The instant by which something must be over. Passed down from the request that
/// caused the work, so that no inner wait outlives its reason.
class Deadline {
 public:
  static Deadline in(const Clock& clock, Duration d) { return Deadline(clock.steady() + d); }
  static Deadline at(SteadyTime t) { return Deadline(t); }
  SteadyTime time() const { return time_; }
  bool passed(SteadyTime now) const { return now >= time_; }
  Deadline sooner(Deadline other) const { return time_ < other.time_ ? *this : other; }

 private:
  explicit Deadline(SteadyTime t) : time_(t) {}
  SteadyTime time_;
};

}  // namespace convoy
