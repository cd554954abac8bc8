#include "net/http_server.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "net/connection_book.hpp"
#include "net/http_connection.hpp"
#include "net/plain_stream.hpp"
#include "net/socket.hpp"
#include "net/steady.hpp"

namespace convoy::net {

struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
  using Connections = std::list<HttpConnection*>;

  Impl(Executor e, HttpServerOptions options, HttpHandler handler, Logger log, Random& random)
      : executor(e),
        shared{std::move(options), std::move(handler), std::move(log), random, {}, false, {}, {}},
        changed(e),
        book(shared.options.limits.max_connections, shared.options.limits.connections_per_address),
        tasks(e) {}

  struct CountedGuest {
    explicit CountedGuest(Impl& i) : impl(i) { ++impl.guests; }
    ~CountedGuest() { --impl.guests; }
    Impl& impl;
  };

  struct Accepted {
    StreamPtr stream;
    std::unique_ptr<ConnectionBook::Place> place;
  };

  struct Listed {
    Listed(Impl& i, HttpConnection* connection)
        : impl(i), at(impl.connections.insert(impl.connections.end(), connection)) {}
    ~Listed() {
      impl.connections.erase(at);
      impl.changed.notify_all();
    }
    Impl& impl;
    Connections::iterator at;
  };

  void spawn_accept(std::shared_ptr<Listener> listener) {
    tasks.spawn([self = shared_from_this(), listener] { return accept_loop(self, listener); });
  }

  static Task<void> accept_loop(std::shared_ptr<Impl> self, std::shared_ptr<Listener> listener) {
    for (;;) {
      auto accepted = co_await listener->accept();
      if (!accepted) {
        if (accepted.error().kind() == ErrorClass::cancelled) co_return;
        self->shared.log.error("accept failed", {{"error", accepted.error().text()}});
        if (!co_await sleep_for(std::chrono::seconds(1))) co_return;
        continue;
      }
      auto place = self->book.admit((*accepted)->remote().ip);
      if (!place) continue;
      auto box = std::make_shared<Accepted>(std::move(*accepted), std::move(place));
      self->tasks.spawn([self, box] { return serve_accepted(self, box); });
    }
  }

  static Task<void> serve_accepted(std::shared_ptr<Impl> self, std::shared_ptr<Accepted> box) {
    const auto place = std::move(box->place);
    StreamPtr stream = std::move(box->stream);
    const auto tls = self->shared.options.tls;
    auto& plain = static_cast<PlainStream&>(*stream);
    const HttpServerLimits& limits = self->shared.options.limits;
    plain.set_least_write_rate(limits.min_body_rate, limits.body_span);
    if (tls) {
      const std::string remote = stream->remote().str();
      // The handshake owns the socket and ends it in the same turn in which this goes on.
      const int fd = plain.fd();
      place->waits([fd] { ::shutdown(fd, SHUT_RDWR); });
      auto secured = co_await tls_accept(std::move(stream), tls, limits.handshake_timeout);
      place->works();
      if (!secured) {
        self->shared.log.debug("handshake failed",
                               {{"remote", remote}, {"error", secured.error().text()}});
        co_return;
      }
      stream = std::move(*secured);
    }
    co_await run_connection(*self, std::move(stream), place.get());
  }

  static Task<void> run_connection(Impl& self, StreamPtr stream, ConnectionBook::Place* place) {
    HttpConnection connection(self.shared, std::move(stream), place);
    const Listed listed(self, &connection);
    co_await connection.run();
  }

  /// A connection handed over by serve(), and its caller, who waits for its end.
  struct Guest {
    explicit Guest(Executor e) : ended(e, asio::steady_timer::time_point::max()) {}
    StreamPtr stream;
    HttpConnection* connection = nullptr;
    asio::steady_timer ended;
    bool over = false;
  };

  static Task<void> serve_guest(std::shared_ptr<Impl> self, std::shared_ptr<Guest> guest) {
    const CountedGuest counted(*self);
    {
      HttpConnection connection(self->shared, std::move(guest->stream), nullptr);
      const Listed listed(*self, &connection);
      guest->connection = &connection;
      co_await connection.run();
      guest->connection = nullptr;
    }
    guest->over = true;
    guest->ended.cancel();
  }

  bool busy() const {
    for (const auto* connection : connections) {
      if (connection->busy()) return true;
    }
    return false;
  }

  void abort_connections(bool idle_only) {
    for (auto* connection : connections) {
      if (!idle_only || !connection->busy()) connection->abort();
    }
  }

  void stop_accepting() {
    shared.draining = true;
    for (const auto& listener : listeners) listener->close();
  }

  Executor executor;
  HttpServerShared shared;
  Notify changed;
  Connections connections;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::size_t guests = 0;
  ConnectionBook book;
  TaskGroup tasks;
};

HttpServer::HttpServer(Executor executor, HttpServerOptions options, HttpHandler handler,
                       Logger log, Random& random)
    : impl_(std::make_shared<Impl>(executor, std::move(options), std::move(handler), std::move(log),
                                   random)) {}

HttpServer::~HttpServer() {
  impl_->stop_accepting();
  impl_->abort_connections(false);
}

Result<Endpoint> HttpServer::listen(const Endpoint& at) {
  auto listener = Listener::open(impl_->executor, at);
  if (!listener) return std::move(listener).error();
  std::shared_ptr<Listener> shared = std::move(*listener);
  const Endpoint local = shared->local();
  impl_->listeners.push_back(shared);
  impl_->spawn_accept(std::move(shared));
  return local;
}

Task<void> HttpServer::serve(StreamPtr stream) {
  const auto impl = impl_;
  if (impl->shared.draining) co_return;
  auto guest = std::make_shared<Impl::Guest>(impl->executor);
  guest->stream = std::move(stream);
  impl->tasks.spawn([impl, guest] { return Impl::serve_guest(impl, guest); });
  co_await asio::this_coro::throw_if_cancelled(false);
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  while (!guest->over) {
    if (state.cancelled() != asio::cancellation_type::none && guest->connection != nullptr) {
      guest->connection->abort();
    }
    boost::system::error_code ec;
    co_await guest->ended.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
}

Task<void> HttpServer::stop(Duration grace) {
  const auto impl = impl_;
  impl->stop_accepting();
  impl->abort_connections(true);
  const SteadyTime until = steady_after(grace);
  while (impl->busy()) {
    const Duration left = until - steady_now();
    if (left <= Duration::zero()) break;
    if (!co_await impl->changed.wait(left)) break;
  }
  impl->abort_connections(false);
  co_await impl->tasks.stop();
}

std::size_t HttpServer::connections() const { return impl_->book.size() + impl_->guests; }

std::uint64_t HttpServer::connections_refused() const { return impl_->book.refused(); }

std::uint64_t HttpServer::connections_dropped() const { return impl_->book.dropped(); }

Task<Status> respond_json(HttpExchange& exchange, int status, std::string json) {
  http::ResponseHead head;
  head.status = status;
  head.headers.add("Content-Type", "application/json");
  if (status == 401) head.headers.add("WWW-Authenticate", "Bearer");
  auto sent = co_await exchange.respond(std::move(head), std::move(json));
  co_return sent;
}

}  // namespace convoy::net
