#include "net/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/net_site.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::HttpServerTest;
using test::WebServer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

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

TEST_F(HttpFile, a_brief_answer_does_not_stand_behind_large_ones) {
  HttpServerOptions options;
  const auto egress = std::make_shared<RateLimiter>(loop.executor(), 1'000'000);
  options.egress = egress;
  start(std::move(options));
  site.file_length = 290'000;
  std::vector<StreamPtr> large;
  for (int i = 0; i < 30; ++i) {
    large.push_back(server->connect());
    EXPECT_TRUE(loop.run(large.back()->write(as_bytes(last("/file")))).ok());
  }
  loop.run(sleep_for(milliseconds(50)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(server->raw(last("/hello")), HasSubstr("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1200)) << "two seconds a round";
  egress->set_rate(0);
  for (const auto& stream : large) {
    EXPECT_EQ(body_of(loop.run(WebServer::read_to_end(*stream))).size(), 290'000u);
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

}  // namespace
}  // namespace convoy::net
