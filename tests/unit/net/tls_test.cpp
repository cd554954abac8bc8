#include "net/tls.hpp"

#include <atomic>
#include <cstdint>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "base/random.hpp"
#include "net/tcp.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_tls.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::TlsPair;
using Tls = test::TlsFixture;
using ::testing::HasSubstr;

TEST_F(Tls, encrypts_and_reports_what_it_established) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  Stream& a = **pair.client;
  Stream& b = **pair.server;
  EXPECT_EQ(a.tls()->version, "TLSv1.3");
  EXPECT_EQ(b.tls()->server_name, "localhost");
  EXPECT_EQ(a.tls()->peer_chain.size(), 1u);
  EXPECT_TRUE(b.tls()->peer_chain.empty());
  EXPECT_FALSE(b.tls()->resumed);
  EXPECT_TRUE(loop.run(a.write(as_bytes("ping"))).ok());
  EXPECT_EQ(*read(b), "ping");
  EXPECT_TRUE(loop.run(b.write(as_bytes("pong"))).ok());
  EXPECT_EQ(*read(a), "pong");
  EXPECT_TRUE(a.quiet());
  EXPECT_TRUE(b.quiet());
}

TEST_F(Tls, close_is_an_orderly_end_and_abort_a_cut) {
  TlsPair pair = connect(server(), client());
  loop.run((*pair.client)->close());
  EXPECT_FALSE((*pair.server)->quiet());
  EXPECT_EQ(*read(**pair.server), "");

  TlsPair other = connect(server(), client());
  (*other.client)->abort();
  auto cut = read(**other.server);
  ASSERT_FALSE(cut.ok());
  // The session ticket that the client had not read yet turns the end into a reset.
  EXPECT_THAT(cut.error().code(), ::testing::AnyOf("stream_truncated", "stream_reset"));
  EXPECT_FALSE((*other.server)->quiet());

  TlsPair third = connect(server(), client());
  EXPECT_TRUE(loop.run((*third.client)->write(as_bytes("half"))).ok());
  EXPECT_EQ(*read(**third.server), "half");
  (*third.server)->abort();
  EXPECT_EQ(read(**third.client).error().code(), "stream_truncated");
}

TEST_F(Tls, half_close_lets_the_other_side_go_on_writing) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  EXPECT_TRUE(loop.run((*pair.client)->shutdown_write()).ok());
  EXPECT_EQ(*read(**pair.server), "");
  EXPECT_TRUE(loop.run((*pair.server)->write(as_bytes("late"))).ok());
  EXPECT_EQ(*read(**pair.client), "late");
}

/// A client of another make, which speaks nothing newer than `version`.
bool handshakes_at(std::uint16_t port, int version) {
  test::ForeignTls client;
  SSL_CTX_set_min_proto_version(client.context(), 0);
  SSL_CTX_set_max_proto_version(client.context(), version);
  // Or it would not even try TLS 1.1.
  SSL_CTX_set_cipher_list(client.context(), "ALL:@SECLEVEL=0");
  return client.handshakes(port);
}

TEST_F(Tls, tls12_is_spoken_unless_1_3_alone_is_wanted) {
  for (const bool only13 : {false, true}) {
    TlsServerOptions options = server_options();
    options.tls13_only = only13;
    auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
    const auto port = (*listener)->local().port;
    auto outcome = std::async(std::launch::async, handshakes_at, port, TLS1_2_VERSION);
    auto plain = loop.run((*listener)->accept());
    auto accepted = loop.run(tls_accept(std::move(*plain), make(options), seconds(5)));
    EXPECT_EQ(accepted.ok(), !only13);
    EXPECT_EQ(outcome.get(), !only13);
    if (!only13) {
      EXPECT_EQ((*accepted)->tls()->version, "TLSv1.2");
    }
  }
}

TEST_F(Tls, nothing_older_than_tls12_is_spoken_and_13_is_preferred) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_3_VERSION}) {
    auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
    const auto port = (*listener)->local().port;
    auto outcome = std::async(std::launch::async, handshakes_at, port, version);
    auto plain = loop.run((*listener)->accept());
    auto accepted = loop.run(tls_accept(std::move(*plain), server(), seconds(5)));
    EXPECT_EQ(outcome.get(), version == TLS1_3_VERSION);
    ASSERT_EQ(accepted.ok(), version == TLS1_3_VERSION);
    if (accepted) {
      EXPECT_EQ((*accepted)->tls()->version, "TLSv1.3") << "though 1.2 was offered too";
      continue;
    }
    EXPECT_EQ(accepted.error().code(), "tls_handshake");
    EXPECT_THAT(accepted.error().detail(), HasSubstr("protocol"));
  }
}

TEST_F(Tls, contexts_serve_several_threads_while_identities_are_replaced) {
  const auto s = server(PeerCertificate::required);
  const auto c = client(ca.issue());
  std::atomic<int> good = 0;
  const auto connect_often = [&] {
    test::Loop own;
    for (int i = 0; i < 20; ++i) {
      TlsPair pair = own.run(test::tls_pair(own.executor(), s, c));
      if (pair.ok()) ++good;
    }
  };
  std::thread first(connect_often);
  std::thread second(connect_often);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(s->replace_identity(ca.issue()).ok());
    EXPECT_TRUE(c->replace_identity(ca.issue()).ok());
  }
  first.join();
  second.join();
  EXPECT_EQ(good, 40);
}

TEST_F(Tls, alpn_agrees_on_a_common_protocol) {
  TlsServerOptions options = server_options();
  options.alpn = {"http/1.1"};
  TlsClientOptions wants;
  wants.roots_pem = ca.root_pem();
  wants.alpn = {"h2", "http/1.1"};
  auto c = TlsClientContext::make(wants);
  TlsPair pair = connect(make(options), *c);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ((*pair.client)->tls()->alpn, "http/1.1");
  EXPECT_EQ((*pair.server)->tls()->alpn, "http/1.1");
}

TEST_F(Tls, plain_bytes_into_a_tls_port_are_refused_at_once) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  EXPECT_TRUE(loop.run(pair.client->write(as_bytes("GET / HTTP/1.1\r\n\r\n"))).ok());
  pair.client->abort();
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), seconds(5)));
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code(), "tls_handshake");
  EXPECT_EQ(accepted.error().kind(), ErrorClass::invalid);
}

TEST_F(Tls, a_silent_peer_does_not_hold_a_handshake) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), milliseconds(30)));
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code(), "stream_idle");
}

TEST_F(Tls, a_peer_that_drips_bytes_does_not_hold_a_handshake) {
  test::Pair pair = loop.run(test::plain_pair(loop.executor()));
  test::Tasks tasks(loop);
  Stream* dripper = pair.client.get();
  const auto drip = [dripper]() -> Task<void> {
    const Bytes hello(200, 0x16);
    for (std::size_t i = 0; i < hello.size(); ++i) {
      // A record header that promises more than ever comes.
      static constexpr std::uint8_t kHeader[] = {0x16, 3, 1, 0x20, 0};
      const std::uint8_t byte = i < sizeof kHeader ? kHeader[i] : 1;
      auto written = co_await dripper->write(ByteView(&byte, 1));
      if (!written) break;
      if (!co_await sleep_for(milliseconds(2))) break;
    }
  };
  tasks->spawn(drip);
  const auto start = std::chrono::steady_clock::now();
  auto accepted = loop.run(tls_accept(std::move(pair.server), server(), milliseconds(40)));
  EXPECT_FALSE(accepted.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(900));
}

TEST_F(Tls, idle_timeouts_count_inside_tls) {
  TlsPair pair = connect(server(), client());
  ASSERT_TRUE(pair.ok());
  (*pair.server)->set_idle_timeout(milliseconds(30));
  auto idle = read(**pair.server);
  EXPECT_EQ(idle.error().code(), "stream_idle");
}

/// Writes a pseudo-random stream made of `seed` and says its hash-like sum.
Task<void> write_stream(Stream& stream, std::uint64_t seed, std::size_t n, Status& out) {
  SeededRandom random(seed);
  Bytes block(100'003);
  while (n > 0 && out.ok()) {
    const std::size_t step = std::min(n, block.size());
    random.fill(MutableByteView(block).first(step));
    out = co_await stream.write(ByteView(block).first(step));
    n -= step;
  }
}

Task<void> check_stream(Stream& stream, std::uint64_t seed, std::size_t n, bool& equal) {
  SeededRandom random(seed);
  Bytes expected(100'003);
  Bytes buffer(70'001);
  std::size_t filled = 0;
  std::size_t at = 0;
  while (n > 0) {
    auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
    for (std::size_t i = 0; i < *got;) {
      if (at == filled) {
        filled = std::min(n, expected.size());
        random.fill(MutableByteView(expected).first(filled));
        at = 0;
      }
      const std::size_t step = std::min(*got - i, filled - at);
      if (!std::equal(buffer.begin() + static_cast<std::ptrdiff_t>(i),
                      buffer.begin() + static_cast<std::ptrdiff_t>(i + step),
                      expected.begin() + static_cast<std::ptrdiff_t>(at))) {
        co_return;
      }
      i += step;
      at += step;
      n -= step;
    }
  }
  equal = true;
}

TEST_F(Tls, one_reader_and_one_writer_on_each_side_at_once) {
  constexpr std::size_t kSize = 64 * 1024 * 1024;
  TlsPair pair = connect(server(PeerCertificate::required), client(ca.issue()));
  ASSERT_TRUE(pair.ok());
  Status a;
  Status b;
  bool c = false;
  bool d = false;
  {
    TaskGroup group(loop.executor());
    group.spawn([&] { return write_stream(**pair.client, 1, kSize, a); });
    group.spawn([&] { return write_stream(**pair.server, 2, kSize, b); });
    group.spawn([&] { return check_stream(**pair.server, 1, kSize, c); });
    group.spawn([&] { return check_stream(**pair.client, 2, kSize, d); });
    const auto wait = [&]() -> Task<void> {
      while (group.size() > 0) static_cast<void>(co_await sleep_for(milliseconds(2)));
    };
    loop.run(wait());
  }
  EXPECT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(c);
  EXPECT_TRUE(d);
}

}  // namespace
}  // namespace convoy::net
