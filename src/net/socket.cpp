#include "net/socket.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/buffer_pool.hpp"
#include "net/sockaddr.hpp"
#include "net/socket_watch.hpp"
#include "net/steady.hpp"

namespace convoy::net {
namespace {

void ignore_sigpipe() {
  // OpenSSL writes with write(2) and sendfile(2) has no MSG_NOSIGNAL.
  static const bool done = [] {
    struct sigaction now{};
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      ::signal(SIGPIPE, SIG_IGN);
    }
    return true;
  }();
  static_cast<void>(done);
}

template <class F>
Endpoint ask(F call, int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (call(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return endpoint_of(address);
}

}  // namespace

Error socket_error(int errno_value) {
  const char* text = std::strerror(errno_value);
  if (errno_value == ECONNRESET || errno_value == EPIPE) return unavailable("stream_reset", text);
  if (errno_value == ETIMEDOUT) return timed_out("stream_idle", text);
  return unavailable("stream_failed", text);
}

Socket::Socket(Executor executor, int fd)
    : descriptor_(executor, fd), watch_(std::make_shared<Watch>(executor, this)), budget_(kBurst) {
  ignore_sigpipe();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  refresh_endpoints();
}

Socket::~Socket() { close(); }

void Socket::refresh_endpoints() {
  remote_ = ask(::getpeername, fd());
  local_ = ask(::getsockname, fd());
}

void Socket::close() noexcept {
  watch_->owner = nullptr;
  try {
    watch_->timer.cancel();
  } catch (...) {  // the timer then runs out by itself
  }
  boost::system::error_code ignored;
  if (descriptor_.is_open()) descriptor_.close(ignored);
}

SteadyTime Socket::idle_deadline() const {
  if (idle_ == Duration::zero()) return SteadyTime::max();
  return steady_after(idle_);
}

Task<Status> Socket::wait(Ready ready, Lane lane, SteadyTime until) {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!open() || state.cancelled() != asio::cancellation_type::none) co_return cancelled();
  const auto watch = watch_;
  const auto i = static_cast<std::size_t>(lane);
  watch->expired[i] = false;
  watch->until[i] = until;
  watch->arm();
  boost::system::error_code ec;
  const auto type = ready == Ready::read ? asio::posix::descriptor_base::wait_read
                                         : asio::posix::descriptor_base::wait_write;
  co_await descriptor_.async_wait(type, asio::redirect_error(asio::use_awaitable, ec));
  watch->until[i] = SteadyTime::max();
  // Without an owner the socket is closed, and may be gone.
  if (watch->owner == nullptr) co_return cancelled();
  budget_ = kBurst;
  if (watch->expired[i]) co_return timed_out("stream_idle");
  if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
  // An abort with none of these reasons is the other lane's: just a spurious wake-up here.
  if (ec && ec != asio::error::operation_aborted) {
    co_return unavailable("stream_failed", ec.message());
  }
  co_return Status{};
}

std::size_t Socket::unacknowledged() {
  int bytes = 0;
  if (!open() || ::ioctl(fd(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

Task<Status> Socket::wait_to_write() {
  SteadyTime moved = steady_now();
  for (;;) {
    const SteadyTime began = steady_now();
    const std::size_t before = unacknowledged();
    const SteadyTime idle = idle_ == Duration::zero() ? SteadyTime::max() : moved + idle_;
    const SteadyTime until = pace_.watches() ? std::min(idle, began + pace_.left()) : idle;
    auto ready = co_await wait(Ready::write, Lane::writer, until);
    if (!ready && ready.error().kind() == ErrorClass::cancelled) co_return ready;  // it may be gone
    const SteadyTime now = steady_now();
    const std::size_t taken = before - std::min(before, unacknowledged());
    if (taken > 0) moved = now;
    if (pace_.watches() && !pace_.took(now - began, taken)) co_return timed_out("reader_too_slow");
    if (ready || ready.error().code() != "stream_idle") co_return ready;
    if (idle_ != Duration::zero() && now - moved >= idle_) co_return ready;
  }
}

Task<Result<std::size_t>> Socket::room() {
  constexpr std::size_t kLeast = 16 * 1024;
  for (bool waited = false;; waited = true) {
    if (!open()) co_return cancelled();
    int size = 0;
    socklen_t length = sizeof size;
    if (::getsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &size, &length) != 0) co_return kLeast;
    const std::size_t all = static_cast<std::size_t>(std::max(size, 0));
    const std::size_t held = unacknowledged();
    // The kernel calls it writable from a third on, and counts more than the bytes alone.
    if (waited || held < all - all / 3)
      co_return std::max(kLeast, (all - std::min(all, held)) * 3 / 4);
    auto ready = co_await wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
}

bool Socket::spend(std::size_t bytes) {
  budget_ -= std::min(budget_, bytes);
  return budget_ == 0;
}

Task<void> Socket::pause() {
  budget_ = kBurst;
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::post(asio::use_awaitable);
}

void Socket::set_notsent_lowat(std::uint32_t bytes) {
  lowat_ = bytes;
  const std::uint32_t value = bytes == 0 ? UINT32_MAX : bytes;
  if (open()) ::setsockopt(fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof value);
}

Task<Status> Socket::drained() {
  while (lowat_ != 0 && open()) {
    int unsent = 0;
    if (::ioctl(fd(), SIOCOUTQNSD, &unsent) != 0) break;
    if (unsent < 0 || static_cast<std::uint32_t>(unsent) < lowat_) break;
    auto ready = co_await wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
}

void Socket::drop_unread() {
  constexpr int kRounds = 64;
  std::array<std::uint8_t, 4096> sink;
  for (int i = 0; i < kRounds && open(); ++i) {
    if (::recv(fd(), sink.data(), sink.size(), 0) <= 0) break;
  }
}

Task<void> Socket::linger(Duration limit) {
  const SteadyTime until = steady_after(limit);
  if (open()) ::shutdown(fd(), SHUT_WR);
  PooledBuffer buffer = PooledBuffer::take(executor());
  const MutableByteView sink = buffer.span();
  while (open()) {
    const ssize_t n = ::recv(fd(), sink.data(), sink.size(), 0);
    if (n == 0) break;
    if (n > 0) {
      if (steady_now() >= until) break;
      if (spend(static_cast<std::size_t>(n))) co_await pause();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) break;
    auto ready = co_await wait(Ready::read, Lane::reader, until);
    if (!ready) break;
  }
}

}  // namespace convoy::net
