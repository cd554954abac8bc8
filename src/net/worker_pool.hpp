#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/task.hpp"

namespace convoy::net {

/// Threads for what blocks: disk, SQLite, signatures, password hashes. The loop awaits the
/// result: `auto r = co_await pool.run([=] { return store.read(…); });`
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool();  ///< finishes what was handed in; must come before the end of the loops

  /// Runs `f` on a worker, resumes on the caller's executor with its value or its exception.
  /// Not cancellable: what `f` refers to must live until the await is over.
  template <class F>
  auto run(F f) -> Task<std::invoke_result_t<F>> {
    using R = std::invoke_result_t<F>;
    using Slot = std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>;
    Slot slot{};
    std::exception_ptr failure;
    auto job = [&f, &slot, &failure]() noexcept {
      try {
        if constexpr (std::is_void_v<R>) {
          f();
          slot = true;
        } else {
          slot.emplace(f());
        }
      } catch (...) {
        failure = std::current_exception();
      }
    };
    std::function<void()> erased = std::ref(job);
    Task<void> done = execute(std::move(erased));
    co_await std::move(done);
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<R>) co_return std::move(*slot);
  }

 private:
  struct Impl;
  Task<void> execute(std::function<void()>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::net
