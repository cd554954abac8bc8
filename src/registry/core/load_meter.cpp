#include "registry/core/load_meter.hpp"

#include <algorithm>

#include "net/task_group.hpp"
#include "registry/core/memory_use.hpp"

namespace convoy::registry {
namespace {

constexpr Duration kTurn = std::chrono::milliseconds(100);
constexpr unsigned kTurnsPerMemory = 5;

}  // namespace

Duration LoadMeter::pool_wait() const {
  return asked_ ? std::max(last_wait_, clock_.steady() - *asked_) : last_wait_;
}

net::Task<void> LoadMeter::watch_loop() {
  LoadSample sample;
  for (unsigned turn = 0;; ++turn) {
    if (turn % kTurnsPerMemory == 0) sample.resident = resident_bytes();
    const SteadyTime due = clock_.steady() + kTurn;
    const bool awake = co_await net::sleep_for(kTurn);
    if (!awake) co_return;
    sample.loop_lag = std::max(clock_.steady() - due, Duration::zero());
    sample.pool_wait = pool_wait();
    told_(sample);
  }
}

net::Task<void> LoadMeter::watch_pool() {
  for (;;) {
    asked_ = clock_.steady();
    auto look = [this] { return clock_.steady(); };
    const SteadyTime begun = co_await pool_.run(std::move(look));
    last_wait_ = begun - *asked_;
    asked_.reset();
    const bool awake = co_await net::sleep_for(kTurn);
    if (!awake) co_return;
  }
}

}  // namespace convoy::registry
