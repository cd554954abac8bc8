#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/task_group.hpp"

namespace convoy::tracker {

/// One fetch for each key at a time, its good result kept for `life`; failures are not kept. The
/// fetch runs in the group, so it outlives a caller that gives up. One thread.
template <class T>
class SingleFlight {
 public:
  using Fetch = std::function<net::Task<Result<T>>()>;
  struct Options {
    std::chrono::seconds life{60};
    std::size_t max_entries = 100'000;
    std::size_t max_tasks = 256;  ///< of the group
  };

  SingleFlight(net::Executor executor, net::TaskGroup& group, Options options, const Clock& clock)
      : executor_(std::move(executor)), group_(group), options_(options), clock_(clock) {}

  /// Errors: the fetch's; unavailable "tracker_busy", and
  /// "registry_unavailable" at the deadline.
  net::Task<Result<T>> get(std::string key, Fetch fetch, Deadline deadline) {
    std::shared_ptr<Flight> flight = find(key);
    if (!flight) {
      if (group_.size() >= options_.max_tasks) co_return unavailable("tracker_busy");
      make_room();
      flight = std::make_shared<Flight>(executor_);
      flights_[key] = flight;
      group_.spawn([this, key, flight, fetch] { return run(key, flight, fetch); });
    }
    while (!flight->result) {
      const Duration left = deadline.time() - clock_.steady();
      if (left <= Duration::zero()) co_return unavailable("registry_unavailable", "timeout");
      const bool woken = co_await flight->done.wait(left);
      if (!woken && !flight->result) co_return unavailable("registry_unavailable", "timeout");
    }
    co_return *flight->result;
  }

  void expire(SteadyTime now) {
    std::erase_if(flights_, [&](const auto& entry) {
      return entry.second->result && entry.second->until <= now;
    });
  }
  std::size_t size() const { return flights_.size(); }

 private:
  struct Flight {
    explicit Flight(net::Executor executor) : done(std::move(executor)) {}
    std::optional<Result<T>> result;
    SteadyTime until{};
    net::Notify done;
  };

  std::shared_ptr<Flight> find(const std::string& key) {
    const auto it = flights_.find(key);
    if (it == flights_.end()) return nullptr;
    if (it->second->result && it->second->until <= clock_.steady()) return nullptr;
    return it->second;
  }

  void make_room() {
    if (flights_.size() < options_.max_entries) return;
    expire(clock_.steady());
    if (flights_.size() >= options_.max_entries) {
      std::erase_if(flights_, [](const auto& entry) { return entry.second->result.has_value(); });
    }
  }

  net::Task<void> run(std::string key, std::shared_ptr<Flight> flight, Fetch fetch) {
    Result<T> result = co_await fetch();
    flight->until = clock_.steady() + options_.life;
    const bool failed = !result.ok();
    flight->result = std::move(result);
    if (failed) {
      const auto it = flights_.find(key);
      if (it != flights_.end() && it->second == flight) flights_.erase(it);
    }
    flight->done.notify_all();
  }

  net::Executor executor_;
  net::TaskGroup& group_;
  Options options_;
  const Clock& clock_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace convoy::tracker
