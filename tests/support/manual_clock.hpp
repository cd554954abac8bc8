#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.hpp"

namespace convoy::test {

/// A clock that stands until it is moved. Both times move together.
class ManualClock final : public Clock {
 public:
  /// 2026-01-02T03:04:05Z
  static constexpr UnixTime kStart{std::chrono::seconds(1767323045)};

  explicit ManualClock(UnixTime start = kStart) : start_(start) {}
  UnixTime wall() const override {
    return start_ + std::chrono::duration_cast<std::chrono::seconds>(moved());
  }
  SteadyTime steady() const override { return SteadyTime(std::chrono::hours(1)) + moved(); }
  /// Also backwards.
  void advance(Duration d) { moved_ += d.count(); }

 private:
  Duration moved() const { return Duration(moved_.load()); }
  UnixTime start_;
  std::atomic<Duration::rep> moved_{0};
};

}  // namespace convoy::test
