#pragma once

#include <functional>
#include <optional>

#include "base/clock.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/load.hpp"

namespace convoy::registry {

/// Measures what LoadJudge judges, ten times a second: how late the loop is, how long a job waits
/// for a worker, what is resident. Its two tasks run on the loop that is measured until they are
/// cancelled.
class LoadMeter {
 public:
  using Told = std::function<void(const LoadSample&)>;
  LoadMeter(net::WorkerPool& pool, const Clock& clock, Told told)
      : pool_(pool), clock_(clock), told_(std::move(told)) {}

  net::Task<void> watch_loop();
  net::Task<void> watch_pool();

 private:
  Duration pool_wait() const;

  net::WorkerPool& pool_;
  const Clock& clock_;
  Told told_;
  std::optional<SteadyTime> asked_;  ///< a job stands in line since then
  Duration last_wait_{};
};

}  // namespace convoy::registry
