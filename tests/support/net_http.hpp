#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/random.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/tcp.hpp"
#include "support/net_loop.hpp"

namespace convoy::test {

/// An HttpServer on a free port of loopback, stopped when the test ends.
class WebServer {
 public:
  WebServer(Loop& loop, net::HttpHandler handler, net::HttpServerOptions options = {},
            Logger log = Logger::none())
      : loop_(loop),
        tls_(options.tls != nullptr),
        server_(loop.executor(), std::move(options), std::move(handler), std::move(log), random_),
        at_(*server_.listen({"127.0.0.1", 0})) {}
  ~WebServer() { loop_.run(server_.stop(std::chrono::seconds(0))); }

  net::HttpServer& operator*() { return server_; }
  net::HttpServer* operator->() { return &server_; }
  const net::Endpoint& at() const { return at_; }
  http::Url url(const std::string& target) const { return {tls_, "127.0.0.1", at_.port, target}; }
  net::StreamPtr connect() {
    auto stream =
        loop_.run(net::tcp_connect(loop_.executor(), at_.ip, at_.port, std::chrono::seconds(5)));
    return std::move(*stream);
  }
  /// Sends raw text on a new connection and returns everything until the server's end.
  std::string raw(const std::string& text) {
    net::StreamPtr stream = connect();
    return loop_.run(talk(*stream, text));
  }

  static net::Task<std::string> read_to_end(net::Stream& stream) {
    std::string out;
    Bytes buffer(64 * 1024);
    for (;;) {
      auto got = co_await stream.read_some(buffer);
      if (!got || *got == 0) break;
      out.append(as_text(ByteView(buffer).first(*got)));
    }
    co_return out;
  }
  /// Reads until `mark` has come.
  static net::Task<std::string> read_until(net::Stream& stream, std::string mark) {
    std::string out;
    Bytes buffer(64 * 1024);
    while (out.find(mark) == std::string::npos) {
      auto got = co_await stream.read_some(buffer);
      if (!got || *got == 0) break;
      out.append(as_text(ByteView(buffer).first(*got)));
    }
    co_return out;
  }

 private:
  static net::Task<std::string> talk(net::Stream& stream, std::string text) {
    static_cast<void>(co_await stream.write(as_bytes(text)));
    co_return co_await read_to_end(stream);
  }

  Loop& loop_;
  SystemRandom random_;
  bool tls_;
  net::HttpServer server_;
  net::Endpoint at_;
};

inline Deadline soon() {
  return Deadline::at(std::chrono::steady_clock::now() + std::chrono::seconds(20));
}

}  // namespace convoy::test
