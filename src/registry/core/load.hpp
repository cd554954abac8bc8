#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace convoy::registry {

enum class LoadLevel : std::uint8_t { normal, busy, overloaded };

struct LoadLimits {
  /// A wait that stays this long for a second makes the registry busy, four times as long
  /// overloaded. 0: waits are not judged.
  Duration latency = std::chrono::milliseconds(250);
  std::uint64_t memory = 0;  ///< bytes resident; busy at 80 %, overloaded at 90 %. 0: not judged
};

struct LoadSample {
  Duration loop_lag{};         ///< how late the event loop came to a timer
  Duration pool_wait{};        ///< how long a job stood in the worker pool's line
  std::uint64_t resident = 0;  ///< bytes
};

/// Judges load by what was measured. A short peak of waiting changes nothing: the shortest wait
/// within a second counts, as a queue that empties now and then is no standing one. Memory counts
/// at once. Pure; one thread.
class LoadJudge {
 public:
  explicit LoadJudge(LoadLimits limits) : limits_(limits) {}
  void note(const LoadSample&, SteadyTime now);
  LoadLevel level() const { return by_wait_ > by_memory_ ? by_wait_ : by_memory_; }

 private:
  LoadLevel judge_wait(Duration shortest) const;
  LoadLevel judge_memory(std::uint64_t resident) const;

  LoadLimits limits_;
  LoadLevel by_wait_ = LoadLevel::normal;
  LoadLevel by_memory_ = LoadLevel::normal;
  Duration shortest_ = Duration::max();
  std::optional<SteadyTime> since_;
};

}  // namespace convoy::registry
