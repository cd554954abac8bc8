#include "net/worker_pool.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace convoy::net {

struct WorkerPool::Impl {
  explicit Impl(std::size_t threads) : pool(threads) {}
  asio::thread_pool pool;
};

WorkerPool::WorkerPool(std::size_t threads) : impl_(std::make_unique<Impl>(threads)) {}

WorkerPool::~WorkerPool() { impl_->pool.join(); }

Task<void> WorkerPool::execute(std::function<void()> job) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Executor back = co_await asio::this_coro::executor;
  // Only the job runs on the worker; the coroutine itself never leaves its own thread.
  auto initiate = [this, &job, back](auto handler) {
    asio::post(impl_->pool, [&job, back, handler = std::move(handler)]() mutable {
      job();
      asio::post(back, std::move(handler));
    });
  };
  auto token = asio::use_awaitable;
  Task<void> done = asio::async_initiate<decltype(token), void()>(initiate, token);
  co_await std::move(done);
}

}  // namespace convoy::net
