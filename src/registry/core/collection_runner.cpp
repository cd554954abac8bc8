#include "registry/core/collection_runner.hpp"

#include <algorithm>

namespace convoy::registry {
namespace {

constexpr Duration kFirst = std::chrono::seconds(60);  // after the start
constexpr Duration kLongestNap = std::chrono::hours(1);

}  // namespace

CollectionRunner::CollectionRunner(net::Executor executor, net::WorkerPool& pool,
                                   const Clock& clock, AdminDesk& desk,
                                   const UpkeepOptions& options, std::function<void()> stepped)
    : pool_(pool),
      clock_(clock),
      desk_(desk),
      options_(options),
      stepped_(std::move(stepped)),
      wake_(executor) {}

/// How long a wait lasts until `due`; a clock that jumps is looked at again within the hour.
Duration CollectionRunner::until(SteadyTime due) const {
  return std::clamp<Duration>(due - clock_.steady(), std::chrono::milliseconds(1), kLongestNap);
}

net::Task<void> CollectionRunner::run() {
  const Duration interval = options_.gc_interval;
  SteadyTime due = clock_.steady() + std::min(interval, kFirst);
  for (;;) {
    auto step = [this] { return desk_.collect_step(); };
    const bool busy = co_await pool_.run(std::move(step));
    stepped_();
    bool begun = false;
    if (!busy && interval > Duration::zero() && clock_.steady() >= due) {
      due = clock_.steady() + interval;
      auto begin = [this] { return desk_.begin_collection(false); };
      begun = co_await pool_.run(std::move(begin));
    }
    if (busy || begun) {
      const bool awake = co_await net::sleep_for(options_.gc_pause);
      if (!awake) co_return;
      continue;
    }
    const Duration nap = interval > Duration::zero() ? until(due) : kLongestNap;
    co_await wake_.wait(nap);
    if (ended_) co_return;
  }
}

}  // namespace convoy::registry
