#include "base/token_bucket.hpp"

#include <algorithm>

namespace convoy {
namespace {

/// How much may pile up unused: enough to ride over a late timer, too little to be a burst.
constexpr double kBurstSeconds = 0.05;

}  // namespace

double TokenBucket::burst() const { return static_cast<double>(rate_) * kBurstSeconds; }

void TokenBucket::fill(SteadyTime now) {
  const std::chrono::duration<double> passed = now - filled_;
  if (passed.count() <= 0) return;
  filled_ = now;
  tokens_ = std::min(tokens_ + passed.count() * static_cast<double>(rate_), burst());
}

void TokenBucket::set_rate(std::uint64_t rate, SteadyTime now) {
  fill(now);
  // A debt of the old rate would last for ages at a much lower one.
  tokens_ = rate == 0 ? 0 : std::max(tokens_, -static_cast<double>(rate));
  rate_ = rate;
}

Duration TokenBucket::wait(SteadyTime now) {
  if (rate_ == 0) return Duration::zero();
  fill(now);
  if (tokens_ > 0) return Duration::zero();
  const std::chrono::duration<double> left(-tokens_ / static_cast<double>(rate_));
  return std::chrono::duration_cast<Duration>(left) + std::chrono::microseconds(1);
}

void TokenBucket::take(std::uint64_t bytes) {
  if (rate_ != 0) tokens_ -= static_cast<double>(bytes);
}

void TokenBucket::give_back(std::uint64_t bytes) {
  if (rate_ != 0) tokens_ = std::min(tokens_ + static_cast<double>(bytes), burst());
}

}  // namespace convoy
