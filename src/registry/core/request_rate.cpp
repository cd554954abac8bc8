#include "registry/core/request_rate.hpp"

#include <algorithm>

namespace convoy::registry {

RequestRate::RequestRate(RateLimit limit, Random& random) {
  if (limit.per_second == 0) return;
  interval_ = Duration(std::chrono::seconds(1)) / limit.per_second;
  tolerance_ = interval_ * (std::max<std::uint64_t>(limit.burst, 1) - 1);
  due_ = std::make_unique<KeyedCells>(random);
}

std::optional<Duration> RequestRate::take(std::string_view key, SteadyTime now) {
  if (!due_) return std::nullopt;
  KeyedCells::Slot slot = due_->find(key);
  const SteadyTime due = std::max(slot.instant(), now);
  if (due - now > tolerance_) return due - now - tolerance_;
  slot.put(due + interval_);
  return std::nullopt;
}

}  // namespace convoy::registry
