#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace convoy::net {

/// Internal to net: whether bytes come, or are taken, fast enough. Only time spent waiting for the
/// other side counts; in each stretch of `span` of it at least `bytes_per_second` must have moved
/// on average.
class Pace {
 public:
  /// What a stretch is in which nothing moved.
  enum class Stall : std::uint8_t { is_slow, passes };

  Pace(std::uint64_t bytes_per_second, Duration span, Stall stall = Stall::is_slow)
      : bytes_per_second_(bytes_per_second), span_(span), stall_(stall) {}

  /// What is missing to the end of the stretch.
  Duration left() const { return span_ - waited_; }
  bool watches() const { return bytes_per_second_ > 0; }

  /// `bytes` moved after `waited`. False when that is too slow.
  bool took(Duration waited, std::size_t bytes) {
    waited_ += waited;
    bytes_ += bytes;
    if (waited_ < span_) return true;
    const double seconds = std::chrono::duration<double>(waited_).count();
    const bool fast =
        static_cast<double>(bytes_) >= seconds * static_cast<double>(bytes_per_second_) ||
        (bytes_ == 0 && stall_ == Stall::passes);
    waited_ = Duration::zero();
    bytes_ = 0;
    return fast;
  }

 private:
  std::uint64_t bytes_per_second_;
  Duration span_;
  Stall stall_;
  Duration waited_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace convoy::net
