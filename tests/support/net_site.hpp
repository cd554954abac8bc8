#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/http_server.hpp"
#include "support/net_http.hpp"
#include "support/net_loop.hpp"

namespace convoy::test {

inline http::ResponseHead status(int code) {
  http::ResponseHead head;
  head.status = code;
  return head;
}

/// What a test handler saw and may do, by path.
struct Site {
  net::Task<void> operator()(net::HttpExchange& exchange) {
    const std::string path =
        exchange.request().target.substr(0, exchange.request().target.find('?'));
    seen.push_back(path);
    ids.push_back(exchange.request_id());
    if (path == "/hello") {
      static_cast<void>(co_await exchange.respond(status(200), "hello"));
    } else if (path == "/echo") {
      auto body = co_await exchange.read_all(limit);
      const int code = body.ok() ? 200 : 413;
      std::string text = body.ok() ? std::move(*body) : std::string("too large\n");
      static_cast<void>(co_await exchange.respond(status(code), std::move(text)));
    } else if (path == "/reject") {
      static_cast<void>(co_await exchange.respond(status(401), "who are you\n"));
    } else if (path == "/throw") {
      throw std::runtime_error("boom");
    } else if (path == "/throw-late") {
      static_cast<void>(co_await exchange.start(status(200), std::nullopt));
      static_cast<void>(co_await exchange.write(as_bytes("half")));
      throw std::runtime_error("boom");
    } else if (path == "/short") {
      static_cast<void>(co_await exchange.start(status(200), 100'000));
      static_cast<void>(co_await exchange.write(as_bytes("only this")));
    } else if (path == "/cut") {
      static_cast<void>(co_await exchange.start(status(200), std::nullopt));
      static_cast<void>(co_await exchange.write(as_bytes("half")));
      exchange.cut();
    } else if (path == "/over") {
      static_cast<void>(co_await exchange.start(status(200), 3));
      overrun = co_await exchange.write(as_bytes("four"));
    } else if (path == "/chunks") {
      static_cast<void>(co_await exchange.start(status(200), std::nullopt));
      static_cast<void>(co_await exchange.write(as_bytes("abc")));
      static_cast<void>(co_await exchange.write(as_bytes("defgh")));
    } else if (path == "/length") {
      static_cast<void>(co_await exchange.start(status(200), 8));
      static_cast<void>(co_await exchange.write(as_bytes("abc")));
      static_cast<void>(co_await exchange.write(as_bytes("defgh")));
    } else if (path == "/nothing") {
      static_cast<void>(co_await exchange.respond(status(204), "ignored"));
    } else if (path == "/split") {
      http::ResponseHead head;
      head.headers.add("X-Evil", "a\r\nSet-Cookie: b");
      split = co_await exchange.respond(std::move(head), "x");
    } else if (path == "/framing") {
      http::ResponseHead head;
      head.headers.add("Content-Length", "999");
      head.headers.add("Transfer-Encoding", "chunked");
      head.headers.add("Connection", "close");
      static_cast<void>(co_await exchange.respond(std::move(head), "x"));
    } else if (path == "/slow") {
      const bool slept = co_await net::sleep_for(slow);
      interrupted = !slept;
      static_cast<void>(co_await exchange.respond(status(200), "slow"));
    } else if (path == "/file") {
      static_cast<void>(co_await exchange.start(status(200), file_length));
      file_sent = co_await exchange.send_file(file, file_offset, file_length);
      sent = exchange.bytes_sent();
    } else if (path == "/drain") {
      Bytes buffer(50'000);
      std::size_t total = 0;
      for (;;) {
        auto got = co_await exchange.read_body(buffer);
        if (!got) {
          read_error = got.error().code();
          break;
        }
        if (*got == 0) break;
        total += *got;
      }
      static_cast<void>(co_await exchange.respond(status(200), std::to_string(total)));
    }
  }

  net::HttpHandler handler() {
    return [this](net::HttpExchange& exchange) { return (*this)(exchange); };
  }

  std::size_t limit = 1000;
  Duration slow = std::chrono::milliseconds(40);
  std::vector<std::string> seen;
  std::vector<std::string> ids;
  Status overrun;
  Status split;
  Status file_sent;
  bool interrupted = false;
  int file = -1;
  std::uint64_t file_offset = 0;
  std::uint64_t file_length = 0;
  std::uint64_t sent = 0;
  std::string read_error;
};

/// A server of that site on a loop of its own.
class HttpServerTest : public ::testing::Test {
 protected:
  WebServer& start(net::HttpServerOptions options = {}) {
    server = std::make_unique<WebServer>(loop, site.handler(), std::move(options));
    return *server;
  }
  static std::string get(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
  }
  static std::string last(const std::string& path, const std::string& fields = "") {
    return get(path, "Connection: close\r\n" + fields);
  }
  static std::string body_of(const std::string& answer) {
    const auto at = answer.find("\r\n\r\n");
    return at == std::string::npos ? "" : answer.substr(at + 4);
  }

  Loop loop;
  Site site;
  std::unique_ptr<WebServer> server;
};

}  // namespace convoy::test
