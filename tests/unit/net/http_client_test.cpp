#include "net/http_client.hpp"

#include <deque>
#include <gtest/gtest.h>

#include "support/net_http.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Loop;
using test::soon;
using test::WebServer;

using Answer = Result<std::unique_ptr<HttpResponse>>;

/// A server that reads one request a connection and plays back raw text, then ends as told.
class Script {
 public:
  struct Act {
    std::string answer;
    bool hold = false;     ///< keep the connection open afterwards and serve the next act on it
    std::size_t body = 0;  ///< bytes of body to read before the answer
    bool at_once = false;  ///< answer without reading anything
  };

  Script(Loop& loop, std::deque<Act> acts)
      : loop_(loop), acts_(std::move(acts)), group_(loop.executor()) {
    auto opened = Listener::open(loop.executor(), {"127.0.0.1", 0});
    listener_ = std::move(*opened);
    group_.spawn([this] { return run(); });
  }
  ~Script() { loop_.run(group_.stop()); }
  http::Url url(const std::string& target) const {
    return {false, "127.0.0.1", listener_->local().port, target};
  }
  int connections = 0;
  std::vector<std::string> requests;

 private:
  Task<void> run() {
    while (!acts_.empty()) {
      auto stream = co_await listener_->accept();
      if (!stream) co_return;
      ++connections;
      bool more = true;
      while (more && !acts_.empty()) {
        Act act = acts_.front();
        if (!act.at_once) {
          std::string request = co_await WebServer::read_until(**stream, "\r\n\r\n");
          if (request.empty()) break;
          while (request.size() - request.find("\r\n\r\n") - 4 < act.body) {
            Bytes buffer(64 * 1024);
            auto got = co_await (*stream)->read_some(buffer);
            if (!got || *got == 0) break;
            request.append(as_text(ByteView(buffer).first(*got)));
          }
          requests.push_back(request);
        }
        acts_.pop_front();
        static_cast<void>(co_await (*stream)->write(as_bytes(act.answer)));
        more = act.hold;
      }
      co_await (*stream)->close();
    }
  }

  Loop& loop_;
  std::deque<Act> acts_;
  std::unique_ptr<Listener> listener_;
  TaskGroup group_;
};

Task<void> serve_all(HttpExchange& exchange) {
  const auto& request = exchange.request();
  http::ResponseHead head;
  head.headers.add("X-Method", request.method);
  if (request.target == "/big") {
    static_cast<void>(co_await exchange.start(std::move(head), 10'000'000));
    const Bytes block(100'000, 'b');
    for (int i = 0; i < 100; ++i) {
      auto written = co_await exchange.write(block);
      if (!written) co_return;
    }
  } else if (request.target == "/chunked") {
    static_cast<void>(co_await exchange.start(std::move(head), std::nullopt));
    for (int i = 0; i < 100; ++i)
      static_cast<void>(co_await exchange.write(as_bytes("0123456789")));
  } else if (request.target == "/broken") {
    static_cast<void>(co_await exchange.start(std::move(head), 1000));
    static_cast<void>(co_await exchange.write(as_bytes("short")));
  } else if (request.target == "/slow") {
    static_cast<void>(co_await sleep_for(seconds(600)));
  } else if (request.target == "/none") {
    head.status = 204;
    static_cast<void>(co_await exchange.respond(std::move(head), ""));
  } else if (request.target == "/reject") {
    head.status = 401;
    static_cast<void>(co_await exchange.respond(std::move(head), "no"));
  } else {
    auto body = co_await exchange.read_all(200'000'000);
    std::string text = body.ok() ? std::move(*body) : std::string("error");
    static_cast<void>(co_await exchange.respond(std::move(head), std::move(text)));
  }
}

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() : server(loop, serve_all), client(loop.executor(), {}) {}

  Answer send(HttpRequest request, Deadline deadline = soon()) {
    return loop.run(client.send(std::move(request), deadline));
  }
  Answer get(const http::Url& url, const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.url = url;
    return send(std::move(request));
  }
  std::string text(Answer& answer) {
    auto body = loop.run((*answer)->read_all(100'000'000));
    return body.ok() ? *body : body.error().code();
  }

  Loop loop;
  WebServer server;
  HttpClient client;
};

TEST_F(HttpClientTest, sends_bodies_and_reuses_its_connection) {
  for (int i = 0; i < 5; ++i) {
    HttpRequest request;
    request.method = "POST";
    request.url = server.url("/echo");
    request.body = std::string(static_cast<std::size_t>(i) * 50'000, 'x');
    auto answer = send(request);
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_EQ((*answer)->status(), 200);
    EXPECT_EQ((*answer)->head().headers.get("X-Method"), "POST");
    EXPECT_EQ((*answer)->length(), request.body.size());
    EXPECT_TRUE(text(answer) == request.body);
    EXPECT_EQ(server->connections(), 1u);
  }
}

TEST_F(HttpClientTest, head_and_no_content_have_no_body_and_keep_the_connection) {
  auto head = get(server.url("/big"), "HEAD");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ((*head)->length(), 10'000'000u);
  EXPECT_EQ(text(head), "");
  auto none = get(server.url("/none"));
  EXPECT_EQ((*none)->status(), 204);
  EXPECT_EQ(text(none), "");
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(HttpClientTest, chunked_answers_are_decoded) {
  auto answer = get(server.url("/chunked"));
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE((*answer)->length());
  EXPECT_EQ(text(answer).size(), 1000u);
  auto again = get(server.url("/chunked"));
  EXPECT_EQ(text(again).size(), 1000u);
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(HttpClientTest, read_all_takes_the_limit_and_not_one_more) {
  auto exact = get(server.url("/chunked"));
  EXPECT_EQ(loop.run((*exact)->read_all(1000))->size(), 1000u);
  auto over = get(server.url("/chunked"));
  EXPECT_EQ(loop.run((*over)->read_all(999)).error().code(), "body_too_large");
  auto big = get(server.url("/big"));
  EXPECT_EQ(loop.run((*big)->read_all(9'999'999)).error().code(), "body_too_large");
}

TEST_F(HttpClientTest, a_body_cut_short_is_seen) {
  auto answer = get(server.url("/broken"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(text(answer), "stream_truncated");
}

TEST_F(HttpClientTest, an_answer_given_up_closes_its_connection) {
  auto answer = get(server.url("/big"));
  Bytes buffer(10);
  EXPECT_TRUE(loop.run((*answer)->read_body(buffer)).ok());
  EXPECT_EQ(server->connections(), 1u);
  *answer = nullptr;
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_EQ(server->connections(), 0u);
}

/// A source of `n` bytes in uneven steps.
BodySource source_of(std::size_t n) {
  auto left = std::make_shared<std::size_t>(n);
  const auto next = [](std::shared_ptr<std::size_t> rest,
                       MutableByteView out) -> Task<Result<std::size_t>> {
    const std::size_t step = std::min({*rest, out.size(), std::size_t{10'007}});
    std::fill_n(out.begin(), step, std::uint8_t{'s'});
    *rest -= step;
    co_return step;
  };
  return [left, next](MutableByteView out) { return next(left, out); };
}

TEST_F(HttpClientTest, streams_a_body_of_known_and_unknown_length) {
  for (const bool known : {true, false}) {
    HttpRequest request;
    request.method = "PUT";
    request.url = server.url("/echo");
    request.source = source_of(1'000'000);
    if (known) request.source_length = 1'000'000;
    auto answer = send(std::move(request));
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_TRUE(text(answer) == std::string(1'000'000, 's'));
  }
  EXPECT_EQ(server->connections(), 1u);
}

TEST_F(HttpClientTest, a_source_of_another_length_than_promised_is_an_error) {
  for (const std::uint64_t promised : {999u, 1001u}) {
    HttpRequest request;
    request.method = "PUT";
    request.url = server.url("/echo");
    request.source = source_of(1000);
    request.source_length = promised;
    EXPECT_EQ(send(std::move(request)).error().code(), "request_body");
  }
}

TEST_F(HttpClientTest, an_early_refusal_stops_the_upload) {
  HttpRequest request;
  request.method = "PUT";
  request.url = server.url("/reject");
  auto asked = std::make_shared<std::size_t>(0);
  const BodySource inner = source_of(200'000'000);
  request.source = [asked, inner](MutableByteView out) {
    ++*asked;
    return inner(out);
  };
  request.source_length = 200'000'000;
  auto answer = send(std::move(request));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ((*answer)->status(), 401);
  EXPECT_EQ(text(answer), "no");
  EXPECT_LT(*asked, 10'000u);
}

TEST_F(HttpClientTest, the_deadline_bounds_the_wait_for_the_head) {
  HttpRequest request;
  request.url = server.url("/slow");
  const auto start = std::chrono::steady_clock::now();
  auto answer = send(std::move(request), Deadline::at(start + milliseconds(50)));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), "request_timeout");
  EXPECT_EQ(answer.error().kind(), ErrorClass::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(3));
}

/// `pieces` single bytes, each after `pace`.
BodySource slow_source(int pieces, Duration pace) {
  auto left = std::make_shared<int>(pieces);
  const auto next = [](std::shared_ptr<int> rest, Duration time,
                       MutableByteView out) -> Task<Result<std::size_t>> {
    if (*rest == 0) co_return std::size_t{0};
    co_await sleep_for(time);
    --*rest;
    out[0] = 's';
    co_return std::size_t{1};
  };
  return [left, pace, next](MutableByteView out) { return next(left, pace, out); };
}

TEST_F(HttpClientTest, a_body_that_moves_may_take_longer_than_the_deadline) {
  for (const bool known : {true, false}) {
    HttpRequest request;
    request.method = "PUT";
    request.url = server.url("/echo");
    request.source = slow_source(60, milliseconds(10));
    if (known) request.source_length = 60;
    const auto start = std::chrono::steady_clock::now();
    auto answer = send(std::move(request), Deadline::at(start + milliseconds(500)));
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(600));
    EXPECT_TRUE(text(answer) == std::string(60, 's'));
  }
}

TEST_F(HttpClientTest, the_deadline_bounds_the_wait_behind_a_streamed_body) {
  HttpRequest request;
  request.method = "PUT";
  request.url = server.url("/slow");
  request.source = slow_source(10, milliseconds(1));
  const auto start = std::chrono::steady_clock::now();
  auto answer = send(std::move(request), Deadline::at(start + milliseconds(100)));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), "request_timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(3));
}

TEST_F(HttpClientTest, refuses_to_send_what_would_split_the_request) {
  HttpRequest request;
  request.url = server.url("/echo");
  request.headers.add("X-A", "b\r\nEvil: 1");
  EXPECT_EQ(send(request).error().code(), "header_invalid");
  request.headers = {};
  request.url.target = "/a b";
  EXPECT_EQ(send(request).error().code(), "request_invalid");
  request.url.target = "/";
  request.method = "GET /x";
  EXPECT_EQ(send(request).error().code(), "request_invalid");
}

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(HttpClientTest, a_pooled_connection_that_was_closed_is_replaced) {
  // Closed in between, seen before the request, and closed without an answer, seen after it.
  Script script(loop, {{kOk}, {kOk, true}, {""}, {kOk}});
  auto first = get(script.url("/1"));
  EXPECT_EQ(text(first), "ok");
  loop.run(sleep_for(milliseconds(10)));
  auto second = get(script.url("/2"));
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(text(second), "ok");
  EXPECT_EQ(script.connections, 2);
  auto third = get(script.url("/3"));
  ASSERT_TRUE(third.ok()) << third.error().text();
  EXPECT_EQ(text(third), "ok");
  EXPECT_EQ(script.connections, 3);
}

TEST_F(HttpClientTest, a_fresh_connection_without_answer_is_not_tried_again) {
  Script script(loop, {{""}, {kOk}});
  auto answer = get(script.url("/"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind(), ErrorClass::unavailable);
  EXPECT_EQ(script.connections, 1);
}

TEST_F(HttpClientTest, a_port_where_nobody_listens_is_unavailable) {
  const std::uint16_t port = (*Listener::open(loop.executor(), {"127.0.0.1", 0}))->local().port;
  auto answer = get({false, "127.0.0.1", port, "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind(), ErrorClass::unavailable) << answer.error().text();
}

TEST_F(HttpClientTest, a_streamed_body_is_never_sent_twice) {
  Script script(loop, {{kOk, true}, {""}, {kOk}});
  auto first = get(script.url("/1"));
  EXPECT_EQ(text(first), "ok");
  HttpRequest request;
  request.method = "PUT";
  request.url = script.url("/2");
  request.source = source_of(10);
  auto second = send(std::move(request));
  EXPECT_FALSE(second.ok());
  EXPECT_EQ(script.connections, 1);
}

TEST_F(HttpClientTest, interim_answers_are_skipped_but_not_forever) {
  const std::string hint =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
  Script script(loop, {{hint + kOk}});
  auto answer = get(script.url("/"));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ((*answer)->status(), 200);
  std::string flood;
  for (int i = 0; i < 20; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
  Script endless(loop, {{flood + kOk}});
  EXPECT_EQ(get(endless.url("/")).error().code(), "response_invalid");
}

TEST_F(HttpClientTest, malformed_answers_are_refused) {
  for (const std::string& bad :
       {std::string("nonsense\r\n\r\n"), std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nA: " + std::string(40'000, 'a') + "\r\n\r\n"}) {
    Script script(loop, {{bad}});
    auto answer = get(script.url("/"));
    ASSERT_FALSE(answer.ok()) << bad.substr(0, 60);
    EXPECT_EQ(answer.error().code(), "response_invalid") << bad.substr(0, 60);
  }
}

TEST_F(HttpClientTest, bytes_behind_an_answer_spoil_its_connection) {
  Script script(loop,
                {{kOk + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", true}, {kOk}, {kOk}});
  auto first = get(script.url("/1"));
  EXPECT_EQ(text(first), "ok");
  auto second = get(script.url("/2"));
  EXPECT_EQ(text(second), "ok");
  EXPECT_EQ(script.connections, 2);
}

TEST_F(HttpClientTest, without_length_the_end_of_the_connection_is_the_end) {
  Script script(loop, {{"HTTP/1.1 200 OK\r\n\r\nuntil the end"}});
  auto answer = get(script.url("/"));
  EXPECT_EQ(text(answer), "until the end");
}

TEST_F(HttpClientTest, no_byte_for_the_idle_time_ends_a_body) {
  HttpClientOptions options;
  options.idle_timeout = milliseconds(30);
  HttpClient impatient(loop.executor(), options);
  Script script(loop, {{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true}, {kOk}});
  HttpRequest request;
  request.url = script.url("/");
  auto answer = loop.run(impatient.send(request, soon()));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(text(answer), "stream_idle");
}

TEST_F(HttpClientTest, the_pool_keeps_no_more_than_it_may) {
  HttpClientOptions options;
  options.max_idle_per_host = 2;
  HttpClient small(loop.executor(), options);
  std::vector<Answer> answers;
  for (int i = 0; i < 4; ++i) {
    HttpRequest request;
    request.url = server.url("/chunked");
    answers.push_back(loop.run(small.send(request, soon())));
  }
  EXPECT_EQ(server->connections(), 4u);
  for (auto& answer : answers) EXPECT_EQ(text(answer).size(), 1000u);
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_EQ(server->connections(), 2u);
  small.drop_idle();
  loop.run(sleep_for(milliseconds(20)));
  EXPECT_EQ(server->connections(), 0u);
}

}  // namespace
}  // namespace convoy::net
