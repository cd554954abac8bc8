#include "net/rate_limiter.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "base/clock.hpp"
#include "net/steady.hpp"

namespace convoy::net {
namespace {

constexpr std::size_t kLeastTurn = 16 * 1024;
/// What a byte costs each line.
constexpr std::array<std::int64_t, 3> kCosts{1, 6, 6};
/// What a line is owed at most that nobody stood in for a while.
constexpr std::int64_t kMostOwed = 64 * 1024;

}  // namespace

struct RateLimiter::Impl : std::enable_shared_from_this<Impl> {
  struct Waiter {
    Waiter(const Executor& e, std::uint64_t n, Line l)
        : bytes(n), line(l), timer(e, asio::steady_timer::time_point::max()) {}
    std::uint64_t bytes;
    Line line;
    asio::steady_timer timer;
    bool granted = false;
    bool queued = true;
  };

  struct Lane {
    std::list<Waiter*> row;
    std::int64_t paid = 0;
  };

  struct Enrolled {
    std::shared_ptr<Impl> impl;
    Waiter* waiter;
    ~Enrolled() {
      if (waiter->queued) impl->of(waiter->line).row.remove(waiter);
    }
  };

  Impl(Executor e, Buckets b) : executor(e), timer(e), buckets(std::move(b)) {}

  std::uint64_t rate() const {
    std::uint64_t lowest = 0;
    for (const auto& bucket : buckets) {
      const std::uint64_t r = bucket->rate();
      if (r != 0 && (lowest == 0 || r < lowest)) lowest = r;
    }
    return lowest;
  }

  Duration wait() const {
    Duration longest{};
    for (const auto& bucket : buckets) longest = std::max(longest, bucket->wait(steady_now()));
    return longest;
  }

  /// Whoever stands first passes as soon as no account is overdrawn.
  bool take(std::uint64_t bytes) {
    if (wait() > Duration::zero()) return false;
    for (const auto& bucket : buckets) bucket->take(bytes);
    return true;
  }

  Lane& of(Line line) { return lanes[static_cast<std::size_t>(line)]; }

  void enrol(Waiter* waiter) {
    Lane& lane = of(waiter->line);
    if (lane.row.empty()) lane.paid = std::max(lane.paid, clock - kCosts.back() * kMostOwed);
    lane.row.push_back(waiter);
  }

  /// The first of the line that has paid least.
  Waiter* next() {
    Lane* best = nullptr;
    for (Lane& lane : lanes) {
      if (!lane.row.empty() && (best == nullptr || lane.paid < best->paid)) best = &lane;
    }
    return best == nullptr ? nullptr : best->row.front();
  }

  void pass(Waiter* waiter) {
    Lane& lane = of(waiter->line);
    lane.row.pop_front();
    clock = std::max(clock, lane.paid);
    const auto bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(waiter->bytes, kMost));
    lane.paid += bytes * kCosts[static_cast<std::size_t>(waiter->line)];
    waiter->queued = false;
    waiter->granted = true;
    waiter->timer.cancel();
  }

  void pump() {
    Waiter* first = next();
    for (; first != nullptr && take(first->bytes); first = next()) pass(first);
    if (first == nullptr) return;
    timer.expires_after(wait());
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self) self->pump();
    });
  }

  Executor executor;
  asio::steady_timer timer;
  Buckets buckets;
  std::array<Lane, kCosts.size()> lanes;  ///< by Line
  std::int64_t clock = 0;                 ///< what the line had paid that passed last
};

RateLimiter::RateLimiter(Executor executor, std::uint64_t bytes_per_second)
    : RateLimiter(executor, {std::make_shared<TokenBucket>(bytes_per_second)}) {}

RateLimiter::RateLimiter(Executor executor, Buckets buckets)
    : impl_(std::make_shared<Impl>(executor, std::move(buckets))) {}

RateLimiter::~RateLimiter() {
  for (const auto& lane : impl_->lanes) {
    for (auto* waiter : lane.row) waiter->timer.cancel();
  }
}

std::uint64_t RateLimiter::rate() const { return impl_->rate(); }

void RateLimiter::set_rate(std::uint64_t bytes_per_second) {
  impl_->buckets.front()->set_rate(bytes_per_second, steady_now());
  rates_changed();
}

void RateLimiter::rates_changed() {
  impl_->timer.cancel();
  impl_->pump();
}

void RateLimiter::give_back(std::uint64_t bytes) {
  for (const auto& bucket : impl_->buckets) bucket->give_back(bytes);
}

std::size_t RateLimiter::turn(std::size_t most) const {
  const std::uint64_t rate = this->rate();
  return rate == 0 ? most : std::clamp<std::size_t>(rate / 10, std::min(kLeastTurn, most), most);
}

Task<bool> RateLimiter::acquire(std::uint64_t bytes, Line line) {
  const auto impl = impl_;
  if (impl->next() == nullptr && impl->take(bytes)) co_return true;
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  Impl::Waiter waiter(impl->executor, bytes, line);
  const Impl::Enrolled enrolled{impl, &waiter};
  const bool alone = impl->next() == nullptr;
  impl->enrol(&waiter);
  if (alone) impl->pump();
  if (!waiter.granted) {
    boost::system::error_code ec;
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return waiter.granted;
}

}  // namespace convoy::net
