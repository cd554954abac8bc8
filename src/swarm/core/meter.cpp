#include "swarm/core/meter.hpp"

#include <algorithm>

namespace convoy::swarm::core {

void RateMeter::add(std::uint64_t bytes, Instant now) {
  const std::int64_t p = period(now);
  if (last_ < 0 || p - last_ >= kPeriods) {
    bytes_.fill(0);
  } else {
    for (std::int64_t i = last_ + 1; i <= p; ++i)
      bytes_[static_cast<std::size_t>(i % kPeriods)] = 0;
  }
  last_ = std::max(last_, p);
  auto& slot = bytes_[static_cast<std::size_t>(p % kPeriods)];
  slot += static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xffffffffU - slot));
}

double RateMeter::rate(Instant now) const {
  if (last_ < 0) return 0;
  const std::int64_t p = period(now);
  if (p - last_ >= kPeriods) return 0;
  std::uint32_t best = 0;
  for (std::int64_t i = std::max<std::int64_t>(p - kPeriods + 1, 0); i < p; ++i) {
    if (i <= last_ && i > last_ - kPeriods)
      best = std::max(best, bytes_[static_cast<std::size_t>(i % kPeriods)]);
  }
  return static_cast<double>(best) / std::chrono::duration<double>(kPeriod).count();
}

void LatencyMeter::add(Duration sample, Instant now) {
  constexpr Duration kWindow = std::chrono::minutes(2);
  if (!current_ || now - since_ > kWindow) {
    before_ = current_;
    current_ = sample;
    since_ = now;
  } else {
    current_ = std::min(*current_, sample);
  }
  average_ = average_ == Duration{0} ? sample : (average_ * 7 + sample) / 8;
}

std::optional<Duration> LatencyMeter::least() const {
  if (!before_) return current_;
  return std::min(*before_, *current_);
}

}  // namespace convoy::swarm::core
