#include "net/http_server.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <stdexcept>
#include <unistd.h>

#include "net/ops_server.hpp"
#include "support/net_certs.hpp"
#include "support/net_http.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Loop;
using test::WebServer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

http::ResponseHead status(int code) {
  http::ResponseHead head;
  head.status = code;
  return head;
}

/// What a test handler saw and may do, by path.
struct Site {
  Task<void> operator()(HttpExchange& exchange) {
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
      const bool slept = co_await sleep_for(slow);
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

  HttpHandler handler() {
    return [this](HttpExchange& exchange) { return (*this)(exchange); };
  }

  std::size_t limit = 1000;
  Duration slow = milliseconds(40);
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

class HttpServerTest : public ::testing::Test {
 protected:
  WebServer& start(HttpServerOptions options = {}) {
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

TEST_F(HttpServerTest, answers_and_keeps_the_connection_for_pipelined_requests) {
  start();
  const std::string answer = server->raw(get("/hello") + "\r\n" + get("/nothing") +
                                         "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                         "3\r\n\r\nabc" +
                                         last("/hello"));
  EXPECT_EQ(site.seen, (std::vector<std::string>{"/hello", "/nothing", "/echo", "/hello"}));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nabcHTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Date: "));
  EXPECT_EQ(answer.substr(answer.size() - 5), "hello");
}

TEST_F(HttpServerTest, no_content_has_no_body_and_no_length) {
  start();
  const std::string answer = server->raw(last("/nothing"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, head_gets_the_length_and_no_body) {
  start();
  const std::string head = "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answer = server->raw(head);
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_EQ(body_of(answer), "");
  const std::string streamed =
      server->raw("HEAD /length HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(streamed, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_EQ(body_of(streamed), "");
}

TEST_F(HttpServerTest, streams_with_and_without_length) {
  start();
  EXPECT_EQ(body_of(server->raw(last("/length"))), "abcdefgh");
  const std::string chunked = server->raw(last("/chunks"));
  EXPECT_THAT(chunked, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(body_of(chunked), "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n");
  const std::string old = server->raw("GET /chunks HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_EQ(body_of(old), "abcdefgh");
}

TEST_F(HttpServerTest, the_handler_cannot_touch_framing_or_split_the_answer) {
  start();
  const std::string answer = server->raw(get("/framing"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("999")));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  const std::string split = server->raw(last("/split"));
  EXPECT_THAT(split, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(split, Not(HasSubstr("Set-Cookie")));
  EXPECT_EQ(site.split.error().code(), "header_invalid");
}

TEST_F(HttpServerTest, request_ids_are_taken_only_when_well_formed) {
  start();
  const std::string good(64, 'a');
  for (const std::string& id : {std::string("abc-1234"), good}) {
    EXPECT_THAT(server->raw(last("/hello", "X-Request-Id: " + id + "\r\n")),
                HasSubstr("X-Request-Id: " + id + "\r\n"));
    EXPECT_EQ(site.ids.back(), id);
  }
  for (const std::string& id : {std::string("short-1"), good + "a", std::string("bad id 12345"),
                                std::string("quote\"quote")}) {
    server->raw(last("/hello", "X-Request-Id: " + id + "\r\n"));
    EXPECT_NE(site.ids.back(), id);
    EXPECT_EQ(site.ids.back().size(), 16u);
  }
}

TEST_F(HttpServerTest, a_chunked_body_is_decoded) {
  start();
  const std::string answer = server->raw(
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(answer), "hello world");
}

TEST_F(HttpServerTest, read_all_takes_the_limit_and_not_one_more) {
  start();
  const auto post = [&](std::size_t n, bool chunked) {
    const std::string body(n, 'x');
    std::string text = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    if (chunked) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx", n);
      text += "Transfer-Encoding: chunked\r\n\r\n" + std::string(size) + "\r\n" + body +
              "\r\n0\r\n\r\n";
    } else {
      text += "Content-Length: " + std::to_string(n) + "\r\n\r\n" + body;
    }
    return server->raw(text);
  };
  for (const bool chunked : {false, true}) {
    EXPECT_THAT(post(1000, chunked), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(post(1001, chunked), StartsWith("HTTP/1.1 413 "));
  }
}

TEST_F(HttpServerTest, continue_is_sent_when_the_handler_reads) {
  start();
  StreamPtr stream = server->connect();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_TRUE(loop.run(stream->write(as_bytes(head))).ok());
  EXPECT_EQ(loop.run(WebServer::read_until(*stream, "\r\n\r\n")), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(loop.run(stream->write(as_bytes("hello"))).ok());
  const std::string answer = loop.run(WebServer::read_until(*stream, "hello"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Connection: close")));
}

TEST_F(HttpServerTest, a_refusal_instead_of_continue_closes) {
  start();
  const std::string answer = server->raw(
      "PUT /reject HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("100 Continue")));
}

Task<void> flood(Stream& stream, std::size_t blocks, bool& broken) {
  const Bytes block(64 * 1024, 'x');
  for (std::size_t i = 0; i < blocks; ++i) {
    auto written = co_await stream.write(block);
    if (!written) {
      broken = true;
      co_return;
    }
  }
}

TEST_F(HttpServerTest, a_client_that_sends_everything_first_still_finds_the_refusal) {
  start();
  StreamPtr stream = server->connect();
  constexpr std::size_t kBlocks = 400;
  const std::string head =
      "PUT /reject HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kBlocks * 64 * 1024) +
      "\r\n\r\n";
  EXPECT_TRUE(loop.run(stream->write(as_bytes(head))).ok());
  bool broken = false;
  loop.run(flood(*stream, kBlocks, broken));
  EXPECT_FALSE(broken);
  const std::string answer = loop.run(WebServer::read_to_end(*stream));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 "));
  EXPECT_EQ(body_of(answer), "who are you\n");
}

TEST_F(HttpServerTest, a_small_unread_body_does_not_cost_the_connection) {
  start();
  const std::string answer = server->raw(
      "PUT /reject HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + last("/hello"));
  EXPECT_EQ(site.seen.size(), 2u);
  EXPECT_EQ(body_of(answer).substr(0, 11), "who are you");
}

TEST_F(HttpServerTest, a_client_that_speaks_tls_to_a_plain_port_hears_so_at_once) {
  start();
  // Not even a whole line: without the check it would have to wait for the time-out's 408.
  EXPECT_THAT(server->raw("\x16\x03\x01\x02"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, malformed_requests_get_their_status_and_a_close) {
  start();
  const std::string tail = " HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_THAT(server->raw("GET /hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(server->raw("GET / HTTP/2.0\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
  EXPECT_THAT(server->raw("GET relative" + tail), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(server->raw(get("/hello", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(server->raw(get("/hello", "Transfer-Encoding: gzip\r\n")),
              StartsWith("HTTP/1.1 501 "));
  EXPECT_THAT(server->raw("GET /" + std::string(8 * 1024, 'a') + tail),
              StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(server->raw("\x16\x03\x01\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(site.seen.empty());
}

TEST_F(HttpServerTest, a_head_of_the_limit_passes_and_one_more_is_431) {
  HttpServerOptions options;
  options.limits.header_bytes = 2000;
  start(std::move(options));
  const auto with = [&](std::size_t n) {
    const std::string rest = last("/hello", "A: \r\n");
    return last("/hello", "A: " + std::string(n - rest.size(), 'a') + "\r\n");
  };
  ASSERT_EQ(with(2000).size(), 2000u);
  EXPECT_THAT(server->raw(with(2000)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(server->raw(with(2001)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(server->raw(with(200'000)), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(server->raw("GET /" + std::string(5000, 'a')), StartsWith("HTTP/1.1 414 "));
}

Task<void> drip(Stream& stream, std::string text, Duration pace) {
  for (const char& c : text) {
    auto written = co_await stream.write(as_bytes(std::string_view(&c, 1)));
    if (!written || !co_await sleep_for(pace)) co_return;
  }
}

TEST_F(HttpServerTest, a_dripping_head_is_ended_by_408) {
  HttpServerOptions options;
  options.limits.header_timeout = milliseconds(50);
  start(std::move(options));
  StreamPtr stream = server->connect();
  test::Tasks tasks(loop);
  const std::string text = get("/hello", "A: " + std::string(1000, 'a') + "\r\n");
  tasks->spawn([&] { return drip(*stream, text, milliseconds(5)); });
  const auto start_at = std::chrono::steady_clock::now();
  EXPECT_THAT(loop.run(WebServer::read_until(*stream, "\r\n\r\n")), StartsWith("HTTP/1.1 408 "));
  EXPECT_LT(std::chrono::steady_clock::now() - start_at, seconds(2));
  EXPECT_TRUE(site.seen.empty());
}

TEST_F(HttpServerTest, an_idle_connection_is_closed_in_silence) {
  HttpServerOptions options;
  options.limits.keep_alive = milliseconds(30);
  start(std::move(options));
  EXPECT_EQ(server->raw(""), "");
  const std::string answer = server->raw(get("/hello"));
  EXPECT_EQ(body_of(answer), "hello");
}

TEST_F(HttpServerTest, a_body_that_stops_is_a_timeout_for_the_handler) {
  HttpServerOptions options;
  options.limits.idle_timeout = milliseconds(30);
  start(std::move(options));
  server->raw("POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(site.read_error, "stream_idle");
}

TEST_F(HttpServerTest, a_body_cut_short_is_an_error_for_the_handler) {
  start();
  StreamPtr stream = server->connect();
  const std::string text = "POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
  EXPECT_TRUE(loop.run(stream->write(as_bytes(text))).ok());
  EXPECT_TRUE(loop.run(stream->shutdown_write()).ok());
  loop.run(WebServer::read_to_end(*stream));
  EXPECT_EQ(site.read_error, "stream_truncated");
}

TEST_F(HttpServerTest, a_handler_that_throws_or_says_nothing_is_500) {
  start();
  EXPECT_THAT(server->raw(last("/throw")), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(server->raw(last("/unknown")), StartsWith("HTTP/1.1 500 "));
  const std::string answer = server->raw(get("/throw") + last("/hello"));
  EXPECT_THAT(answer, HasSubstr("hello")) << "a 500 does not cost the connection";
}

TEST_F(HttpServerTest, an_unfinished_answer_is_seen_as_cut) {
  start();
  const std::string chunked = server->raw(get("/throw-late"));
  EXPECT_EQ(body_of(chunked), "4\r\nhalf\r\n");
  EXPECT_EQ(body_of(server->raw(get("/cut"))), "4\r\nhalf\r\n");
  const std::string shorter = server->raw(get("/short"));
  EXPECT_THAT(shorter, HasSubstr("Content-Length: 100000\r\n"));
  EXPECT_EQ(body_of(shorter), "only this");
  EXPECT_EQ(body_of(server->raw(get("/over"))), "");
  EXPECT_EQ(site.overrun.error().code(), "body_overrun");
}

class HttpFile : public HttpServerTest {
 protected:
  HttpFile() : content_(300'000, '\0') {
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 11 / 7);
    char name[] = "/tmp/convoy-net-XXXXXX";
    site.file = ::mkstemp(name);
    ::unlink(name);
    EXPECT_EQ(::write(site.file, content_.data(), content_.size()), 300'000);
  }
  ~HttpFile() override { ::close(site.file); }
  std::string content_;
};

TEST_F(HttpFile, sends_ranges_of_any_size_limited_or_not) {
  for (const std::uint64_t rate : {0u, 50'000'000u}) {
    HttpServerOptions options;
    options.egress = std::make_shared<RateLimiter>(loop.executor(), rate);
    start(std::move(options));
    for (const std::uint64_t n : {1u, 64u * 1024, 64u * 1024 + 1, 299'990u}) {
      site.file_offset = 10;
      site.file_length = n;
      const std::string answer = server->raw(last("/file"));
      EXPECT_TRUE(body_of(answer) == content_.substr(10, n)) << n;
      EXPECT_TRUE(site.file_sent.ok());
      EXPECT_EQ(site.sent, n);
    }
    server.reset();
  }
}

TEST_F(HttpFile, a_file_too_short_is_a_cut) {
  start();
  site.file_offset = 299'000;
  site.file_length = 1001;
  EXPECT_LT(body_of(server->raw(get("/file"))).size(), 1001u);
  EXPECT_EQ(site.file_sent.error().code(), "file_short");
}

TEST_F(HttpFile, head_of_a_file_sends_no_byte_of_it) {
  start();
  site.file_length = 1000;
  const std::string answer =
      server->raw("HEAD /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1000\r\n"));
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(site.sent, 0u);
}

TEST_F(HttpServerTest, further_connections_than_allowed_are_closed) {
  HttpServerOptions options;
  options.limits.max_connections = 2;
  site.slow = seconds(600);
  start(std::move(options));
  StreamPtr a = server->connect();
  StreamPtr b = server->connect();
  EXPECT_TRUE(loop.run(a->write(as_bytes(get("/slow")))).ok());
  EXPECT_TRUE(loop.run(b->write(as_bytes(get("/slow")))).ok());
  loop.run(sleep_for(milliseconds(10)));
  EXPECT_EQ((*server)->connections(), 2u);
  EXPECT_EQ(server->raw(get("/hello")), "") << "both have a request under way";
  EXPECT_EQ((*server)->connections_refused(), 1u);
  a.reset();
  b.reset();
  loop.run((*server)->stop(seconds(0)));
}

TEST_F(HttpServerTest, a_newcomer_takes_the_place_of_the_longest_idle_connection) {
  HttpServerOptions options;
  options.limits.max_connections = 3;
  start(std::move(options));
  StreamPtr busy = server->connect();
  EXPECT_TRUE(loop.run(busy->write(as_bytes(
                           "POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")))
                  .ok());
  loop.run(sleep_for(milliseconds(5)));
  StreamPtr half = server->connect();
  EXPECT_TRUE(loop.run(half->write(as_bytes("GET /he"))).ok());
  loop.run(sleep_for(milliseconds(5)));
  StreamPtr idle = server->connect();
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_THAT(server->raw(last("/hello")), HasSubstr("hello"));
  EXPECT_EQ(loop.run(WebServer::read_to_end(*half)), "") << "the longest without a request";
  EXPECT_EQ((*server)->connections_dropped(), 1u);
  EXPECT_EQ((*server)->connections_refused(), 0u);
  EXPECT_TRUE(loop.run(idle->write(as_bytes(get("/hello")))).ok());
  EXPECT_THAT(loop.run(WebServer::read_until(*idle, "hello")), HasSubstr("hello"));
  EXPECT_TRUE(loop.run(busy->write(as_bytes("bc"))).ok());
  EXPECT_THAT(loop.run(WebServer::read_until(*busy, "\r\n\r\n3")), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, silent_handshakes_give_way_to_those_that_speak) {
  const test::TestCa ca("root");
  HttpServerOptions options;
  options.limits.max_connections = 2;
  TlsServerOptions tls;
  tls.identity = ca.issue();
  options.tls = *TlsServerContext::make(std::move(tls));
  start(std::move(options));
  StreamPtr first = server->connect();
  StreamPtr second = server->connect();
  loop.run(sleep_for(milliseconds(10)));
  EXPECT_EQ((*server)->connections(), 2u);
  TlsClientOptions trust;
  trust.roots_pem = ca.root_pem();
  StreamPtr plain = server->connect();
  auto talker = loop.run(tls_connect(std::move(plain), *TlsClientContext::make(std::move(trust)),
                                     "localhost", seconds(5)));
  ASSERT_TRUE(talker.ok()) << talker.error().text();
  EXPECT_TRUE(loop.run((*talker)->write(as_bytes(get("/hello")))).ok());
  EXPECT_THAT(loop.run(WebServer::read_until(**talker, "hello")), HasSubstr("hello"));
  EXPECT_EQ((*server)->connections_dropped(), 1u);
}

TEST_F(HttpServerTest, a_silent_handshake_ends_in_its_time) {
  const test::TestCa ca("root");
  HttpServerOptions options;
  options.limits.handshake_timeout = milliseconds(30);
  TlsServerOptions tls;
  tls.identity = ca.issue();
  options.tls = *TlsServerContext::make(std::move(tls));
  start(std::move(options));
  EXPECT_EQ(server->raw(""), "");
}

TEST_F(HttpServerTest, an_address_may_hold_its_share_and_no_more) {
  HttpServerOptions options;
  options.limits.connections_per_address = 2;
  start(std::move(options));
  StreamPtr a = server->connect();
  StreamPtr b = server->connect();
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ(server->raw(get("/hello")), "");
  EXPECT_EQ((*server)->connections_refused(), 1u);
  EXPECT_TRUE(loop.run(a->write(as_bytes(get("/hello")))).ok());
  EXPECT_THAT(loop.run(WebServer::read_until(*a, "hello")), HasSubstr("hello"));
  b.reset();
  loop.run(sleep_for(milliseconds(10)));
  EXPECT_THAT(server->raw(last("/hello")), HasSubstr("hello"));
}

TEST_F(HttpServerTest, a_dripping_body_is_cut_and_a_slow_one_is_not) {
  HttpServerOptions options;
  options.limits.min_body_rate = 1000;
  options.limits.body_span = milliseconds(50);
  start(std::move(options));
  const std::string head = "POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n";
  StreamPtr dripping = server->connect();
  test::Tasks tasks(loop);
  EXPECT_TRUE(loop.run(dripping->write(as_bytes(head))).ok());
  tasks->spawn([&] { return drip(*dripping, std::string(400, 'a'), milliseconds(10)); });
  const auto begin = std::chrono::steady_clock::now();
  loop.run(WebServer::read_until(*dripping, "\r\n\r\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(2));
  EXPECT_EQ(site.read_error, "body_too_slow");
  site.read_error.clear();
  StreamPtr steady = server->connect();
  EXPECT_TRUE(loop.run(steady->write(as_bytes(head))).ok());
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(loop.run(steady->write(as_bytes(std::string(100, 'a')))).ok());
    loop.run(sleep_for(milliseconds(20)));
  }
  EXPECT_THAT(loop.run(WebServer::read_until(*steady, "\r\n\r\n400")), HasSubstr("200 OK"));
  EXPECT_EQ(site.read_error, "");
}

TEST_F(HttpServerTest, an_answer_nobody_reads_is_cut) {
  HttpServerOptions options;
  options.limits.idle_timeout = milliseconds(50);
  start(std::move(options));
  std::FILE* file = std::tmpfile();
  site.file = ::fileno(file);
  site.file_length = 64 * 1024 * 1024;
  EXPECT_EQ(::ftruncate(site.file, static_cast<off_t>(site.file_length)), 0);
  StreamPtr reader = server->connect();
  EXPECT_TRUE(loop.run(reader->write(as_bytes(get("/file")))).ok());
  const auto until = std::chrono::steady_clock::now() + seconds(5);
  while (site.file_sent.ok() && std::chrono::steady_clock::now() < until) {
    loop.run(sleep_for(milliseconds(10)));
  }
  ASSERT_FALSE(site.file_sent.ok());
  EXPECT_EQ(site.file_sent.error().code(), "stream_idle");
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ((*server)->connections(), 0u);
  std::fclose(file);
}

TEST_F(HttpServerTest, a_thousand_idle_connections_do_not_hinder_one_more) {
  start();
  std::vector<StreamPtr> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(server->connect());
    if (i % 2 == 0) {
      EXPECT_TRUE(loop.run(idle.back()->write(as_bytes("GET /he"))).ok());
    }
  }
  EXPECT_THAT(server->raw(last("/hello")), HasSubstr("hello"));
  EXPECT_EQ((*server)->connections(), 1000u);
}

TEST_F(HttpServerTest, stop_lets_a_request_finish) {
  start();
  StreamPtr idle = server->connect();
  StreamPtr busy = server->connect();
  EXPECT_TRUE(loop.run(busy->write(as_bytes(get("/slow")))).ok());
  loop.run(sleep_for(milliseconds(10)));
  loop.run((*server)->stop(seconds(5)));
  const std::string answer = loop.run(WebServer::read_to_end(*busy));
  EXPECT_EQ(body_of(answer), "slow");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(loop.run(WebServer::read_to_end(*idle)), "");
  EXPECT_EQ((*server)->connections(), 0u);
}

TEST_F(HttpServerTest, stop_aborts_what_outlasts_the_grace) {
  site.slow = seconds(600);
  start();
  StreamPtr busy = server->connect();
  EXPECT_TRUE(loop.run(busy->write(as_bytes(get("/slow")))).ok());
  loop.run(sleep_for(milliseconds(10)));
  const auto begin = std::chrono::steady_clock::now();
  loop.run((*server)->stop(milliseconds(20)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_TRUE(site.interrupted);
  EXPECT_EQ(loop.run(WebServer::read_to_end(*busy)), "");
}

Task<void> tunnel_echo(HttpExchange& exchange, std::string& early) {
  auto stream = co_await exchange.take_stream();
  if (!stream) {
    early = stream.error().code();
    http::ResponseHead head;
    head.status = 400;
    static_cast<void>(co_await exchange.respond(std::move(head), "early\n"));
    co_return;
  }
  Bytes buffer(100);
  auto got = co_await (*stream)->read_some(buffer);
  if (got) static_cast<void>(co_await (*stream)->write(ByteView(buffer).first(*got)));
  co_await (*stream)->close();
}

TEST(HttpConnect, hands_the_raw_stream_over) {
  Loop loop;
  std::string early;
  WebServer server(loop, [&](HttpExchange& e) { return tunnel_echo(e, early); });
  StreamPtr stream = server.connect();
  const std::string connect = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
  EXPECT_TRUE(loop.run(stream->write(as_bytes(connect))).ok());
  EXPECT_EQ(loop.run(WebServer::read_until(*stream, "\r\n\r\n")),
            "HTTP/1.1 200 Connection Established\r\n\r\n");
  EXPECT_TRUE(loop.run(stream->write(as_bytes("raw"))).ok());
  EXPECT_EQ(loop.run(WebServer::read_to_end(*stream)), "raw");
  EXPECT_THAT(server.raw(connect + "too early"), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(early, "connect_early");
}

TEST(HttpConnect, a_taken_stream_can_be_made_tls_and_served) {
  Loop loop;
  const test::TestCa ca("root");
  TlsServerOptions options;
  options.identity = ca.issue({.san = "DNS:registry.example"});
  auto context = TlsServerContext::make(options);
  TlsClientOptions wants;
  wants.roots_pem = ca.root_pem();
  auto client = TlsClientContext::make(wants);
  Site site;
  WebServer inner(loop, site.handler());
  const auto intercept = [&](HttpExchange& exchange) -> Task<void> {
    auto stream = co_await exchange.take_stream();
    auto secured = co_await tls_accept(std::move(*stream), *context, seconds(5));
    if (secured) co_await inner->serve(std::move(*secured));
  };
  WebServer outer(loop, intercept);
  StreamPtr stream = outer.connect();
  const std::string connect = "CONNECT registry.example:443 HTTP/1.1\r\nHost: r\r\n\r\n";
  EXPECT_TRUE(loop.run(stream->write(as_bytes(connect))).ok());
  loop.run(WebServer::read_until(*stream, "\r\n\r\n"));
  auto tls = loop.run(tls_connect(std::move(stream), *client, "registry.example", seconds(5)));
  ASSERT_TRUE(tls.ok()) << tls.error().text();
  const std::string text = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_TRUE(loop.run((*tls)->write(as_bytes(text))).ok());
  EXPECT_THAT(loop.run(WebServer::read_until(**tls, "hello")), HasSubstr("hello"));
  // Both servers are stopped with this connection still open, the inner one last.
}

TEST(OpsServer, serves_health_readiness_and_metrics_only) {
  Loop loop;
  auto metrics = std::make_shared<Metrics>();
  metrics->counter("convoy_things_total", "Things.", {{"kind", "a"}}).add(3);
  std::optional<std::string> reason = "no certificate yet";
  WebServer server(loop, ops_handler(metrics, [&] { return reason; }));
  const auto get = [&](const std::string& path, const std::string& method = "GET") {
    return server.raw(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/readyz"), HasSubstr("no certificate yet"));
  reason.reset();
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/metrics"), HasSubstr("convoy_things_total{kind=\"a\"} 3"));
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/healthz", "POST"), StartsWith("HTTP/1.1 405 "));
}

TEST(MetricsTest, the_same_name_and_labels_are_the_same_object) {
  Metrics metrics;
  Counter& a = metrics.counter("convoy_a_total", "A.", {{"k", "1"}});
  Counter& b = metrics.counter("convoy_a_total", "A.", {{"k", "1"}});
  Counter& c = metrics.counter("convoy_a_total", "A.", {{"k", "2"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &c);
  a.add();
  EXPECT_EQ(b.value(), 1);
  metrics.gauge("convoy_g", "G.").set(4);
  metrics.gauge("convoy_g", "G.").add(-1);
  metrics.latency("convoy_s", "S.").observe(0.003);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("convoy_g 3"));
  EXPECT_THAT(text, HasSubstr("convoy_s_bucket{le=\"0.005\"} 1"));
}

}  // namespace
}  // namespace convoy::net
