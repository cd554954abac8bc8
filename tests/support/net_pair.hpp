#pragma once

#include <memory>
#include <string>
#include <utility>

#include "net/plain_stream.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "support/net_loop.hpp"

namespace convoy::test {

/// Both ends of one connection over loopback.
struct Pair {
  net::StreamPtr client;
  net::StreamPtr server;
};

inline net::Task<Pair> pair_at(net::Executor executor, net::Listener& listener) {
  const auto port = listener.local().port;
  const std::string host = "127.0.0.1";
  auto client = co_await net::tcp_connect(executor, host, port, std::chrono::seconds(5));
  auto server = co_await listener.accept();
  Pair out{std::move(*client), std::move(*server)};
  co_return out;
}

inline net::Task<Pair> plain_pair(net::Executor executor) {
  const net::Endpoint any{"127.0.0.1", 0};
  auto listener = net::Listener::open(executor, any);
  Pair out = co_await pair_at(executor, **listener);
  co_return out;
}

inline int fd_of(net::Stream& plain) { return dynamic_cast<net::PlainStream&>(plain).fd(); }

/// So many bytes, fewer when the stream ends or fails before.
inline net::Task<std::string> read_exactly(net::Stream& stream, std::size_t n) {
  std::string out(n, '\0');
  std::size_t at = 0;
  while (at < n) {
    const MutableByteView rest(reinterpret_cast<std::uint8_t*>(out.data()) + at, n - at);
    auto got = co_await stream.read_some(rest);
    if (!got || *got == 0) break;
    at += *got;
  }
  out.resize(at);
  co_return out;
}

/// The outcomes of the two handshakes.
struct TlsPair {
  Result<net::StreamPtr> client = cancelled();
  Result<net::StreamPtr> server = cancelled();
  bool ok() const { return client.ok() && server.ok(); }
};

inline net::Task<TlsPair> tls_over(net::Executor executor, Pair plain,
                                   std::shared_ptr<net::TlsServerContext> server,
                                   std::shared_ptr<net::TlsClientContext> client,
                                   std::string name) {
  TlsPair out;
  net::TaskGroup group(executor);
  net::Notify done(executor);
  bool accepted = false;
  const auto accept = [&]() -> net::Task<void> {
    out.server = co_await net::tls_accept(std::move(plain.server), server, std::chrono::seconds(5));
    accepted = true;
    done.notify_all();
  };
  group.spawn(accept);
  out.client =
      co_await net::tls_connect(std::move(plain.client), client, name, std::chrono::seconds(5));
  while (!accepted) static_cast<void>(co_await done.wait(std::chrono::seconds(5)));
  co_await group.stop();
  co_return out;
}

inline net::Task<TlsPair> tls_pair(net::Executor executor,
                                   std::shared_ptr<net::TlsServerContext> server,
                                   std::shared_ptr<net::TlsClientContext> client,
                                   std::string name = "localhost") {
  Pair plain = co_await plain_pair(executor);
  TlsPair out = co_await tls_over(executor, std::move(plain), std::move(server), std::move(client),
                                  std::move(name));
  co_return out;
}

}  // namespace convoy::test
