#include "registry/core/scrub_runner.hpp"

#include <algorithm>

namespace convoy::registry {
namespace {

constexpr Duration kLongestNap = std::chrono::hours(1);
constexpr std::uint64_t kStep = 1024 * 1024;

}  // namespace

ScrubRunner::ScrubRunner(net::Executor executor, net::WorkerPool& pool, const Clock& clock,
                         AdminDesk& desk, const UpkeepOptions& options,
                         std::function<void()> stepped)
    : pool_(pool),
      clock_(clock),
      desk_(desk),
      options_(options),
      stepped_(std::move(stepped)),
      quiet_(1),
      wake_(executor) {}

/// Until the next scheduled pass; nothing when none is.
net::Task<std::optional<Duration>> ScrubRunner::until_due() {
  if (options_.scrub_interval <= Duration::zero()) co_return std::nullopt;
  auto look = [this] { return desk_.last_scrub(); };
  const auto last = co_await pool_.run(std::move(look));
  if (!last) co_return kLongestNap;
  const Duration left = *last + options_.scrub_interval - clock_.wall();
  co_return std::clamp<Duration>(left, Duration::zero(), kLongestNap);
}

/// After a step that began then.
Duration ScrubRunner::pause(bool scheduled, SteadyTime began) const {
  constexpr Duration kLeast = std::chrono::microseconds(1);
  if (!scheduled || options_.scrub_rate == 0) return kLeast;
  const std::chrono::duration<double> turn(static_cast<double>(kStep) /
                                           static_cast<double>(options_.scrub_rate));
  return std::max(kLeast, std::chrono::duration_cast<Duration>(turn) - (clock_.steady() - began));
}

net::Task<void> ScrubRunner::run() {
  auto lower = [] { lower_thread_priority(); };
  co_await quiet_.run(std::move(lower));
  bool scheduled = false;
  for (;;) {
    const SteadyTime began = clock_.steady();
    auto step = [this] { return desk_.scrub_step(kStep); };
    const bool busy = co_await quiet_.run(std::move(step));
    stepped_();
    if (busy) {
      const bool awake = co_await net::sleep_for(pause(scheduled, began));
      if (!awake) co_return;
      continue;
    }
    scheduled = false;
    const std::optional<Duration> left = co_await until_due();
    if (left && *left == Duration::zero()) {
      auto begin = [this] { return desk_.begin_scrub(false); };
      scheduled = co_await pool_.run(std::move(begin));
      if (scheduled) continue;
    }
    const Duration nap = std::max<Duration>(left.value_or(kLongestNap), std::chrono::seconds(1));
    co_await wake_.wait(nap);
    if (ended_) co_return;
  }
}

}  // namespace convoy::registry
