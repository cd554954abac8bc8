#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include "net/plain_stream.hpp"
#include "net/sockaddr.hpp"
#include "net/tcp.hpp"

namespace convoy::net {
namespace {

constexpr int kBacklog = 4096;
constexpr unsigned kInARow = 32;
constexpr Duration kOutOfDescriptors = std::chrono::milliseconds(100);

Error listen_failed(const Endpoint& at, int error) {
  return unavailable("listen_failed", at.str() + ": " + std::strerror(error));
}

bool passing(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool about_one_connection(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
         error == ENETDOWN || error == ENETUNREACH || error == EHOSTUNREACH;
}

class TcpListener final : public Listener {
 public:
  TcpListener(Executor executor, int fd, Endpoint local)
      : descriptor_(executor, fd), local_(std::move(local)) {}
  ~TcpListener() override { close(); }

  const Endpoint& local() const override { return local_; }

  void close() noexcept override {
    boost::system::error_code ignored;
    if (descriptor_.is_open()) descriptor_.close(ignored);
  }

  Task<Result<StreamPtr>> accept() override {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      if (!descriptor_.is_open() || state.cancelled() != asio::cancellation_type::none) {
        co_return cancelled();
      }
      const int fd =
          ::accept4(descriptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        // Behind a long queue others would never have their turn.
        if (++in_a_row_ % kInARow == 0) co_await asio::post(asio::use_awaitable);
        StreamPtr stream =
            std::make_unique<PlainStream>(std::make_unique<Socket>(descriptor_.get_executor(), fd));
        co_return stream;
      }
      if (about_one_connection(errno)) continue;
      if (passing(errno)) {
        static_cast<void>(co_await sleep_for(kOutOfDescriptors));
        continue;
      }
      if (errno != EAGAIN) co_return unavailable("accept_failed", std::strerror(errno));
      in_a_row_ = 0;
      boost::system::error_code ec;
      co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                      asio::redirect_error(asio::use_awaitable, ec));
    }
  }

 private:
  asio::posix::stream_descriptor descriptor_;
  Endpoint local_;
  unsigned in_a_row_ = 0;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Executor executor, const Endpoint& at,
                                                 const CongestionControl& control) {
  const auto address = make_sockaddr(at.ip, at.port);
  if (!address) return listen_failed(at, EINVAL);
  const int fd = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_failed(at, errno);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  set_congestion_control(fd, at, control);
  if (::bind(fd, address->get(), address->size) != 0 || ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return listen_failed(at, error);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  std::unique_ptr<Listener> out = std::make_unique<TcpListener>(executor, fd, endpoint_of(bound));
  return out;
}

}  // namespace convoy::net
