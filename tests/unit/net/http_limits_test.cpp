#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <unistd.h>

#include "support/net_certs.hpp"
#include "support/net_drip.hpp"
#include "support/net_site.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::drip;
using test::HttpServerTest;
using test::WebServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

TEST_F(HttpServerTest, many_requests_of_one_connection_do_not_go_before_those_of_others) {
  start();
  StreamPtr hasty = server->connect();
  StreamPtr other = server->connect();
  loop.run(sleep_for(milliseconds(5)));
  constexpr int kMany = 3000;
  std::string many;
  for (int i = 0; i < kMany; ++i) many += get("/hello");
  std::size_t before = 0;
  const auto ask = [&]() -> Task<void> {
    static_cast<void>(co_await hasty->write(as_bytes(many)));
    const std::string one = get("/hello");
    static_cast<void>(co_await other->write(as_bytes(one)));
    static_cast<void>(co_await WebServer::read_until(*other, "hello"));
    before = site.seen.size();
  };
  loop.run(ask());
  EXPECT_LT(before, std::size_t{kMany} / 2);
}

TEST_F(HttpServerTest, a_thousand_idle_connections_do_not_hinder_one_more) {
  HttpServerOptions options;
  options.limits.header_timeout = seconds(60);  // opening them takes a busy machine its time
  start(std::move(options));
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

}  // namespace
}  // namespace convoy::net
