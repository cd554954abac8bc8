#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/net_certs.hpp"
#include "support/net_site.hpp"

namespace convoy::net {
namespace {

using std::chrono::seconds;
using test::Loop;
using test::Site;
using test::WebServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace convoy::net
