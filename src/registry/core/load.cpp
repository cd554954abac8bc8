#include "registry/core/load.hpp"

#include <algorithm>

namespace convoy::registry {
namespace {

constexpr Duration kWindow = std::chrono::seconds(1);

}  // namespace

void LoadJudge::note(const LoadSample& sample, SteadyTime now) {
  by_memory_ = judge_memory(sample.resident);
  if (limits_.latency <= Duration::zero()) return;
  shortest_ = std::min(shortest_, std::max(sample.loop_lag, sample.pool_wait));
  if (!since_) since_ = now;
  if (now - *since_ < kWindow) return;
  by_wait_ = judge_wait(shortest_);
  shortest_ = Duration::max();
  since_ = now;
}

// A level ends well below where it begins, so that it does not flutter.

LoadLevel LoadJudge::judge_wait(Duration shortest) const {
  if (shortest >= 4 * limits_.latency) return LoadLevel::overloaded;
  if (shortest >= 2 * limits_.latency && by_wait_ == LoadLevel::overloaded) return by_wait_;
  if (shortest >= limits_.latency) return LoadLevel::busy;
  if (shortest >= limits_.latency / 2 && by_wait_ != LoadLevel::normal) return LoadLevel::busy;
  return LoadLevel::normal;
}

LoadLevel LoadJudge::judge_memory(std::uint64_t resident) const {
  if (limits_.memory == 0) return LoadLevel::normal;
  const std::uint64_t percent = resident / std::max<std::uint64_t>(limits_.memory / 100, 1);
  if (percent >= 90) return LoadLevel::overloaded;
  if (percent >= 85 && by_memory_ == LoadLevel::overloaded) return by_memory_;
  if (percent >= 80) return LoadLevel::busy;
  if (percent >= 75 && by_memory_ != LoadLevel::normal) return LoadLevel::busy;
  return LoadLevel::normal;
}

}  // namespace convoy::registry
