#include "net/rate_limiter.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "base/clock.hpp"
#include "net/steady.hpp"

namespace convoy::net {
namespace {

/// How much may pile up unused: enough to ride over a late timer, too little to be a burst.
constexpr double kBurstSeconds = 0.05;

}  // namespace

struct RateLimiter::Impl : std::enable_shared_from_this<Impl> {
  struct Waiter {
    Waiter(const Executor& e, std::uint64_t n)
        : bytes(n), timer(e, asio::steady_timer::time_point::max()) {}
    std::uint64_t bytes;
    asio::steady_timer timer;
    bool granted = false;
    bool queued = true;
  };

  struct Enrolled {
    std::shared_ptr<Impl> impl;
    Waiter* waiter;
    ~Enrolled() {
      if (waiter->queued) impl->line.remove(waiter);
    }
  };

  Impl(Executor e, std::uint64_t r) : executor(e), timer(e), rate(r) {
    filled = steady_now();
    tokens = burst();
  }

  double burst() const { return static_cast<double>(rate) * kBurstSeconds; }

  void refill() {
    const SteadyTime now = steady_now();
    const std::chrono::duration<double> passed = now - filled;
    filled = now;
    tokens = std::min(tokens + passed.count() * static_cast<double>(rate), burst());
  }

  /// Whoever stands first passes as soon as the account is not overdrawn and overdraws it, so
  /// that one larger than the burst passes too.
  bool take(std::uint64_t bytes) {
    if (rate == 0) return true;
    if (tokens <= 0) return false;
    tokens -= static_cast<double>(bytes);
    return true;
  }

  void pump() {
    refill();
    while (!line.empty() && take(line.front()->bytes)) {
      Waiter* first = line.front();
      line.pop_front();
      first->queued = false;
      first->granted = true;
      first->timer.cancel();
    }
    if (line.empty()) return;
    const std::chrono::duration<double> wait(-tokens / static_cast<double>(rate));
    const auto whole = std::chrono::duration_cast<Duration>(wait) + std::chrono::microseconds(1);
    timer.expires_after(whole);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self) self->pump();
    });
  }

  Executor executor;
  asio::steady_timer timer;
  std::list<Waiter*> line;
  std::uint64_t rate;
  double tokens = 0;
  SteadyTime filled;
};

RateLimiter::RateLimiter(Executor executor, std::uint64_t bytes_per_second)
    : impl_(std::make_shared<Impl>(executor, bytes_per_second)) {}

RateLimiter::~RateLimiter() {
  for (auto* waiter : impl_->line) waiter->timer.cancel();
}

std::uint64_t RateLimiter::rate() const { return impl_->rate; }

void RateLimiter::set_rate(std::uint64_t bytes_per_second) {
  impl_->refill();
  // A debt of the old rate would last for ages at a much lower one.
  impl_->tokens = std::max(impl_->tokens, -static_cast<double>(bytes_per_second));
  impl_->rate = bytes_per_second;
  impl_->timer.cancel();
  impl_->pump();
}

Task<bool> RateLimiter::acquire(std::uint64_t bytes) {
  const auto impl = impl_;
  if (impl->rate == 0) co_return true;
  if (impl->line.empty()) {
    impl->refill();
    if (impl->take(bytes)) co_return true;
  }
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  Impl::Waiter waiter(impl->executor, bytes);
  const Impl::Enrolled enrolled{impl, &waiter};
  impl->line.push_back(&waiter);
  if (impl->line.size() == 1) impl->pump();
  if (!waiter.granted) {
    boost::system::error_code ec;
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return waiter.granted;
}

}  // namespace convoy::net
