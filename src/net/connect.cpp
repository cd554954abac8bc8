#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/plain_stream.hpp"
#include "net/sockaddr.hpp"
#include "net/steady.hpp"
#include "net/tcp.hpp"

namespace convoy::net {
namespace {

/// getaddrinfo cannot be cancelled: it is left to finish alone and the timer is what is awaited.
struct Lookup {
  explicit Lookup(Executor executor) : resolver(executor), timer(executor) {}
  asio::ip::tcp::resolver resolver;
  asio::steady_timer timer;
  bool done = false;
  boost::system::error_code error;
  std::vector<SockAddr> found;
};

void start(std::shared_ptr<Lookup> lookup, const std::string& host, std::uint16_t port) {
  lookup->resolver.async_resolve(
      host, std::to_string(port), asio::ip::tcp::resolver::numeric_service,
      [lookup](const boost::system::error_code& ec, const auto& results) {
        lookup->done = true;
        lookup->error = ec;
        for (const auto& entry : results) {
          const auto endpoint = entry.endpoint();
          SockAddr address;
          address.size = static_cast<socklen_t>(endpoint.size());
          std::memcpy(&address.storage, endpoint.data(), endpoint.size());
          lookup->found.push_back(address);
        }
        lookup->timer.cancel();
      });
}

Task<Result<std::vector<SockAddr>>> resolve(Executor executor, std::string host, std::uint16_t port,
                                            SteadyTime until) {
  if (auto literal = make_sockaddr(host, port)) {
    std::vector<SockAddr> one(1, *literal);
    co_return one;
  }
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
  auto lookup = std::make_shared<Lookup>(executor);
  lookup->timer.expires_at(until);
  start(lookup, host, port);
  boost::system::error_code ec;
  co_await lookup->timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
  if (!lookup->done) co_return timed_out("connect_timeout", "resolving " + host);
  if (lookup->error || lookup->found.empty()) {
    co_return unavailable("resolve_failed", host + ": " + lookup->error.message());
  }
  co_return std::move(lookup->found);
}

Result<int> open_socket(const SockAddr& to, const std::optional<std::string>& bind_ip) {
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return unavailable("connect_failed", std::strerror(errno));
  if (!bind_ip) return fd;
  const auto from = make_sockaddr(*bind_ip, 0);
  const int on = 1;
  // The port is chosen at connect, where two targets may share one.
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (!from || from->family() != to.family() || ::bind(fd, from->get(), from->size) != 0) {
    const int error = from ? errno : EINVAL;
    ::close(fd);
    return unavailable("connect_failed",
                       "cannot leave from " + *bind_ip + ": " + std::strerror(error));
  }
  return fd;
}

Task<Result<StreamPtr>> connect_one(Executor executor, SockAddr to,
                                    std::optional<std::string> bind_ip, CongestionControl control,
                                    SteadyTime until) {
  auto fd = open_socket(to, bind_ip);
  if (!fd) co_return std::move(fd).error();
  set_congestion_control(*fd, endpoint_of(to.storage), control);
  auto socket = std::make_unique<Socket>(executor, *fd);
  if (::connect(socket->fd(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    co_return unavailable("connect_failed", std::strerror(errno));
  }
  auto ready = co_await socket->wait(Socket::Ready::write, Socket::Lane::writer, until);
  if (!ready) {
    if (ready.error().kind() == ErrorClass::timeout) co_return timed_out("connect_timeout");
    co_return std::move(ready).error();
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return unavailable("connect_failed", std::strerror(error));
  socket->refresh_endpoints();
  StreamPtr stream = std::make_unique<PlainStream>(std::move(socket));
  co_return stream;
}

}  // namespace

Task<Result<StreamPtr>> tcp_connect(Executor executor, std::string host, std::uint16_t port,
                                    Duration timeout, std::optional<std::string> bind_ip,
                                    CongestionControl control) {
  const SteadyTime until = steady_after(timeout);
  auto addresses = co_await resolve(executor, host, port, until);
  if (!addresses) co_return std::move(addresses).error();
  Error last = unavailable("connect_failed", "no address");
  const auto n = addresses->size();
  for (std::size_t i = 0; i < n; ++i) {
    const SteadyTime now = steady_now();
    if (i > 0 && now >= until) break;
    // An address that drops packets must leave time for those after it.
    const SteadyTime share = now + (until - now) / static_cast<int>(n - i);
    auto stream = co_await connect_one(executor, (*addresses)[i], bind_ip, control, share);
    if (stream) co_return stream;
    last = std::move(stream).error();
    if (last.kind() == ErrorClass::cancelled) break;
  }
  const std::string target = Endpoint{host, port}.str();
  co_return std::move(last).with(target);
}

}  // namespace convoy::net
