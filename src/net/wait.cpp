#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "net/socket.hpp"
#include "net/steady.hpp"
#include "net/task_group.hpp"

namespace convoy::net {

Task<bool> sleep_for(Duration d) {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  const Executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, steady_after(d));
  boost::system::error_code ec;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  co_return !ec && state.cancelled() == asio::cancellation_type::none;
}

struct Notify::Impl {
  struct Waiter {
    explicit Waiter(const Executor& e) : timer(e) {}
    asio::steady_timer timer;
    bool notified = false;
  };

  /// Out of the list even when the frame is destroyed with the loop.
  struct Enrolled {
    std::shared_ptr<Impl> impl;
    std::list<Waiter*>::iterator at;
    ~Enrolled() { impl->waiters.erase(at); }
  };

  Executor executor;
  std::list<Waiter*> waiters;
};

Notify::Notify(Executor executor) : impl_(std::make_shared<Impl>(Impl{executor, {}})) {}

Notify::~Notify() { notify_all(); }

void Notify::notify_all() {
  for (auto* waiter : impl_->waiters) {
    waiter->notified = true;
    waiter->timer.cancel();
  }
}

Task<bool> Notify::wait(Duration timeout) {
  const auto impl = impl_;
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  Impl::Waiter waiter(impl->executor);
  const Impl::Enrolled enrolled{impl, impl->waiters.insert(impl->waiters.end(), &waiter)};
  waiter.timer.expires_at(steady_after(timeout));
  boost::system::error_code ec;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  co_return waiter.notified&& state.cancelled() == asio::cancellation_type::none;
}

}  // namespace convoy::net
