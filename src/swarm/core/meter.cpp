#include "swarm/core/meter.hpp"

#include <algorithm>

#include "wire/bt/merkle.hpp"

namespace convoy::swarm::core {

void RateMeter::add(std::uint64_t bytes, Instant now) {
  const std::int64_t p = period(now);
  if (last_ < 0 || p - last_ >= kPeriods) {
    bytes_.fill(0);
    first_ = p;
  } else {
    for (std::int64_t i = last_ + 1; i <= p; ++i)
      bytes_[static_cast<std::size_t>(i % kPeriods)] = 0;
  }
  last_ = std::max(last_, p);
  auto& slot = bytes_[static_cast<std::size_t>(p % kPeriods)];
  slot += static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xffffffffU - slot));
}

/// Bytes in the fullest run of so many periods, `to` not included.
std::uint64_t RateMeter::most_in(std::int64_t periods, std::int64_t from, std::int64_t to) const {
  std::uint64_t best = 0, sum = 0;
  const auto at = [this](std::int64_t i) {
    return i <= last_ && i > last_ - kPeriods ? bytes_[static_cast<std::size_t>(i % kPeriods)] : 0;
  };
  for (std::int64_t i = from; i < to; ++i) {
    sum += at(i);
    if (i - from >= periods) sum -= at(i - periods);
    best = std::max(best, sum);
  }
  return best;
}

double RateMeter::rate(Instant now) const {
  constexpr std::uint64_t kTelling = 32 * bt::kBlockSize;
  if (last_ < 0) return 0;
  const std::int64_t p = period(now);
  if (p - last_ >= kPeriods) return 0;
  const std::int64_t from = std::max(p - kPeriods + 1, first_);
  for (std::int64_t periods = 1;; periods = std::min(2 * periods, p - from)) {
    const std::uint64_t best = most_in(periods, from, p);
    if (best < kTelling && periods < p - from) continue;
    return static_cast<double>(best) / std::chrono::duration<double>(periods * kPeriod).count();
  }
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
