#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/task.hpp"

namespace convoy::net {

/// Threads for what blocks: disk, SQLite, signatures, password hashes. The loop awaits the
/// result: `auto r = co_await pool.run([=] { return store.read(…); });`
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : pool_(threads) {}
  ~WorkerPool() { pool_.join(); }

  /// Runs `f` on a worker, resumes on the caller's executor with its value. Not cancellable:
  /// what `f` refers to must live until the await is over.
  template <class F>
  auto run(F f) -> Task<std::invoke_result_t<F>> {
    using R = std::invoke_result_t<F>;
    auto back = co_await asio::this_coro::executor;
    co_await asio::post(pool_, asio::bind_executor(pool_, asio::use_awaitable));
    if constexpr (std::is_void_v<R>) {
      f();
      co_await asio::post(back, asio::use_awaitable);
      co_return;
    } else {
      R value = f();
      co_await asio::post(back, asio::use_awaitable);
      co_return value;
    }
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace convoy::net
