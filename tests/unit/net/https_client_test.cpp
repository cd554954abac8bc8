#include <gtest/gtest.h>

#include "net/http_client.hpp"
#include "support/net_http.hpp"
#include "support/net_tls.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::soon;
using test::WebServer;

constexpr std::size_t kBig = 10'000'000;

Task<void> serve_big(HttpExchange& exchange) {
  static_cast<void>(co_await exchange.respond({}, std::string(kBig, 'b')));
}

class HttpsClient : public test::TlsFixture {
 protected:
  std::shared_ptr<TlsServerContext> server_context() { return server(PeerCertificate::required); }
  HttpClientOptions client_options(bool certificate) {
    HttpClientOptions out;
    out.tls = certificate ? client(ca.issue({.name = "node"})) : client();
    return out;
  }
};

TEST_F(HttpsClient, speaks_mutual_tls_and_resumes) {
  HttpServerOptions options;
  options.tls = server_context();
  WebServer server(loop, serve_big, options);
  const auto shared = client_options(true);
  for (int i = 0; i < 3; ++i) {
    HttpClient client(loop.executor(), shared);
    for (int j = 0; j < 2; ++j) {
      HttpRequest request;
      request.url = server.url("/");
      auto answer = loop.run(client.send(request, soon()));
      ASSERT_TRUE(answer.ok()) << answer.error().text();
      EXPECT_EQ((*answer)->tls()->resumed, i > 0);
      EXPECT_EQ((*answer)->tls()->peer_chain.size(), 1u);
      EXPECT_EQ(loop.run((*answer)->read_all(kBig))->size(), kBig);
      EXPECT_TRUE((*answer)->tls().has_value());
    }
    EXPECT_EQ(server->connections(), 1u);
    client.drop_idle();
    loop.run(sleep_for(milliseconds(10)));
  }
}

TEST_F(HttpsClient, nothing_is_sent_on_a_pooled_connection_of_an_earlier_identity) {
  HttpServerOptions server_options;
  server_options.tls = server_context();
  std::vector<Bytes> seen;  // by whose certificate each request came
  const auto note = [&seen](HttpExchange& exchange) -> Task<void> {
    seen.push_back(exchange.tls()->peer_chain.at(0));
    http::ResponseHead head;
    static_cast<void>(co_await exchange.respond(std::move(head), "body"));
  };
  WebServer server(loop, note, server_options);
  const HttpClientOptions options = client_options(true);
  HttpClient client(loop.executor(), options);
  HttpRequest request;
  request.url = server.url("/");
  const auto get = [&] {
    auto answer = loop.run(client.send(request, soon()));
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? std::move(*answer) : nullptr;
  };
  const auto finish = [&](std::unique_ptr<HttpResponse> answer) {
    EXPECT_EQ(loop.run(answer->read_all(100)).value(), "body");
  };
  finish(get());
  finish(get());
  EXPECT_EQ(server->connections(), 1u) << "the pool is at work";
  auto early = get();  // its connection goes back to the pool only after the change
  const std::uint64_t before = options.tls->generation();
  ASSERT_TRUE(options.tls->replace_identity(ca.issue({.name = "renewed"})));
  EXPECT_GT(options.tls->generation(), before);
  finish(std::move(early));
  finish(get());
  finish(get());
  EXPECT_EQ(server->connections(), 2u) << "one of each identity";
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_TRUE(seen[0] == seen[1] && seen[0] == seen[2]);
  EXPECT_FALSE(seen[3] == seen[0]);
  EXPECT_TRUE(seen[4] == seen[3]);
  // Without an identity both are of no use, though they are still open.
  ASSERT_TRUE(options.tls->replace_identity(std::nullopt));
  auto refused = loop.run(client.send(request, soon()));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorClass::unauthorized) << refused.error().text();
  EXPECT_EQ(seen.size(), 5u);
}

TEST_F(HttpsClient, a_refused_certificate_is_unauthorized) {
  HttpServerOptions options;
  options.tls = server_context();
  WebServer server(loop, serve_big, options);
  HttpClient client(loop.executor(), client_options(false));
  HttpRequest request;
  request.url = server.url("/");
  auto answer = loop.run(client.send(request, soon()));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().kind(), ErrorClass::unauthorized) << answer.error().text();
}

TEST_F(HttpsClient, https_without_a_context_is_an_error) {
  HttpServerOptions options;
  options.tls = server_context();
  WebServer server(loop, serve_big, options);
  HttpClient client(loop.executor(), {});
  HttpRequest request;
  request.url = server.url("/");
  EXPECT_EQ(loop.run(client.send(request, soon())).error().code(), "tls_not_configured");
}

TEST_F(HttpsClient, an_end_without_close_notify_is_a_truncation) {
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  TaskGroup group(loop.executor());
  const auto context = server_context();
  const auto serve = [&]() -> Task<void> {
    auto plain = co_await (*listener)->accept();
    auto stream = co_await tls_accept(std::move(*plain), context, seconds(5));
    co_await WebServer::read_until(**stream, "\r\n\r\n");
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
    static_cast<void>(co_await (*stream)->write(as_bytes(answer)));
    (*stream)->abort();
  };
  group.spawn(serve);
  HttpClient client(loop.executor(), client_options(true));
  HttpRequest request;
  request.url = {true, "127.0.0.1", (*listener)->local().port, "/"};
  auto answer = loop.run(client.send(request, soon()));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(loop.run((*answer)->read_all(1000)).error().code(), "stream_truncated");
  loop.run(group.stop());
}

}  // namespace
}  // namespace convoy::net
