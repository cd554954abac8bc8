#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.hpp"
#include "net/tcp.hpp"
#include "support/net_loop.hpp"
#include "support/net_pair.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Loop;
using test::Pair;
using test::read_exactly;

TEST(PlainStream, carries_bytes_both_ways_and_knows_its_ends) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  EXPECT_EQ(pair.client->remote().str(), pair.server->local().str());
  EXPECT_EQ(pair.client->local().str(), pair.server->remote().str());
  EXPECT_FALSE(pair.client->tls());
  EXPECT_TRUE(loop.run(pair.client->write(as_bytes("ping"))).ok());
  EXPECT_EQ(loop.run(read_exactly(*pair.server, 4)), "ping");
  EXPECT_TRUE(pair.server->quiet());
  EXPECT_TRUE(loop.run(pair.server->write(as_bytes("pong"))).ok());
  EXPECT_EQ(loop.run(read_exactly(*pair.client, 4)), "pong");
}

TEST(PlainStream, reads_zero_at_the_orderly_end) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  loop.run(pair.client->close());
  Bytes buffer(16);
  auto n = loop.run(pair.server->read_some(buffer));
  ASSERT_TRUE(n.ok());
  EXPECT_EQ(*n, 0u);
  EXPECT_FALSE(pair.server->quiet());
}

TEST(PlainStream, half_close_leaves_the_other_direction_open) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  EXPECT_TRUE(loop.run(pair.client->shutdown_write()).ok());
  Bytes buffer(16);
  auto n = loop.run(pair.server->read_some(buffer));
  ASSERT_TRUE(n.ok());
  EXPECT_EQ(*n, 0u);
  EXPECT_TRUE(loop.run(pair.server->write(as_bytes("late"))).ok());
  EXPECT_EQ(loop.run(read_exactly(*pair.client, 4)), "late");
  EXPECT_FALSE(loop.run(pair.client->write(as_bytes("x"))).ok());
}

TEST(PlainStream, a_silent_peer_ends_the_read_with_stream_idle) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  pair.server->set_idle_timeout(milliseconds(30));
  Bytes buffer(16);
  auto n = loop.run(pair.server->read_some(buffer));
  ASSERT_FALSE(n.ok());
  EXPECT_EQ(n.error().kind(), ErrorClass::timeout);
  EXPECT_EQ(n.error().code(), "stream_idle");
}

TEST(PlainStream, a_peer_that_does_not_read_ends_the_write_with_stream_idle) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  pair.client->set_idle_timeout(milliseconds(30));
  const Bytes much(64 * 1024 * 1024);
  auto written = loop.run(pair.client->write(much));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), "stream_idle");
  EXPECT_FALSE(loop.run(pair.client->write(as_bytes("x"))).ok()) << "a broken write stays broken";
}

Task<void> read_into(Stream& stream, Result<std::size_t>& out) {
  Bytes buffer(16);
  out = co_await stream.read_some(buffer);
}

TEST(PlainStream, the_idle_end_of_a_write_does_not_disturb_the_reader) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  test::Tasks tasks(loop);
  Result<std::size_t> read = invalid("pending");
  pair.client->set_idle_timeout(seconds(30));
  tasks->spawn([&] { return read_into(*pair.client, read); });
  loop.run(sleep_for(milliseconds(5)));
  pair.client->set_idle_timeout(milliseconds(20));
  const Bytes much(64 * 1024 * 1024);
  EXPECT_EQ(loop.run(pair.client->write(much)).error().code(), "stream_idle");
  EXPECT_TRUE(loop.run(pair.server->write(as_bytes("hello"))).ok());
  loop.run(sleep_for(milliseconds(20)));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(*read, 5u);
}

TEST(PlainStream, abort_ends_a_pending_read_with_cancelled) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  Result<std::size_t> read = invalid("pending");
  TaskGroup group(loop.executor());
  group.spawn([&] { return read_into(*pair.client, read); });
  loop.run(sleep_for(milliseconds(5)));
  pair.client->abort();
  pair.client->abort();
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ(group.size(), 0u);
  EXPECT_EQ(read.error().kind(), ErrorClass::cancelled);
}

TEST(PlainStream, cancelling_the_task_ends_its_read) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  Result<std::size_t> read = invalid("pending");
  TaskGroup group(loop.executor());
  group.spawn([&] { return read_into(*pair.client, read); });
  loop.run(sleep_for(milliseconds(5)));
  loop.run(group.stop());
  EXPECT_EQ(read.error().kind(), ErrorClass::cancelled);
}

class SendFile : public ::testing::Test {
 protected:
  SendFile() : content_(3 * 1024 * 1024 + 17, '\0') {
    for (std::size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 7 / 3);
    char name[] = "/tmp/convoy-net-XXXXXX";
    fd_ = ::mkstemp(name);
    ::unlink(name);
    EXPECT_EQ(::write(fd_, content_.data(), content_.size()),
              static_cast<ssize_t>(content_.size()));
  }
  ~SendFile() override { ::close(fd_); }
  std::string content_;
  int fd_ = -1;
};

Task<void> send_into(Stream& stream, int fd, std::uint64_t offset, std::uint64_t n, Status& out) {
  out = co_await stream.send_file(fd, offset, n);
}

TEST_F(SendFile, sends_the_range_asked_for) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  test::Tasks tasks(loop);
  Status sent = invalid("pending");
  const std::size_t n = content_.size() - 1000;
  tasks->spawn([&] { return send_into(*pair.server, fd_, 1000, n, sent); });
  const std::string got = loop.run(read_exactly(*pair.client, n));
  loop.run(sleep_for(milliseconds(1)));
  EXPECT_TRUE(sent.ok());
  EXPECT_TRUE(got == content_.substr(1000));
}

TEST_F(SendFile, a_file_shorter_than_promised_is_corrupt) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  auto sent = loop.run(pair.server->send_file(fd_, content_.size() - 10, 11));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code(), "file_short");
  EXPECT_FALSE(loop.run(pair.server->write(as_bytes("x"))).ok());
}

TEST(PlainStream, notsent_lowat_holds_a_write_back_until_the_kernel_has_sent_it) {
  Loop loop;
  Pair pair = loop.run(test::plain_pair(loop.executor()));
  pair.client->set_notsent_lowat(16 * 1024);
  pair.client->set_idle_timeout(milliseconds(50));
  // Fill what the receiver's window takes; then a small write must not finish either.
  const Bytes block(64 * 1024);
  Status written;
  int blocks = 0;
  while (written.ok() && blocks < 2000) {
    written = loop.run(pair.client->write(block));
    ++blocks;
  }
  EXPECT_EQ(written.error().code(), "stream_idle");
  EXPECT_LT(blocks, 2000);
}

TEST(Connect, refused_and_unroutable_are_named_and_bounded) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  ASSERT_TRUE(listener.ok());
  const auto port = (*listener)->local().port;
  listener->reset();
  auto refused = loop.run(tcp_connect(loop.executor(), "127.0.0.1", port, seconds(2)));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), "connect_failed");
  EXPECT_EQ(refused.error().kind(), ErrorClass::unavailable);
}

TEST(Connect, a_name_is_resolved_and_each_address_tried) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  const auto port = (*listener)->local().port;
  auto stream = loop.run(tcp_connect(loop.executor(), "localhost", port, seconds(5)));
  ASSERT_TRUE(stream.ok()) << stream.error().text();
  EXPECT_EQ((*stream)->remote().ip, "127.0.0.1");
}

TEST(Connect, an_unknown_name_is_resolve_failed) {
  Loop loop;
  auto stream = loop.run(tcp_connect(loop.executor(), "no-such-host.invalid", 1, seconds(10)));
  ASSERT_FALSE(stream.ok());
  EXPECT_THAT(stream.error().code(), ::testing::AnyOf("resolve_failed", "connect_timeout"));
}

TEST(Connect, leaves_from_the_bound_address) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  const auto port = (*listener)->local().port;
  auto stream = loop.run(
      tcp_connect(loop.executor(), "127.0.0.1", port, seconds(5), std::string("127.0.0.7")));
  ASSERT_TRUE(stream.ok()) << stream.error().text();
  EXPECT_EQ((*stream)->local().ip, "127.0.0.7");
  auto bad = loop.run(
      tcp_connect(loop.executor(), "127.0.0.1", port, seconds(5), std::string("not-an-ip")));
  EXPECT_EQ(bad.error().code(), "connect_failed");
}

TEST(Listener, refuses_a_taken_port_and_a_name) {
  Loop loop;
  auto first = Listener::open(loop.executor(), {"127.0.0.1", 0});
  ASSERT_TRUE(first.ok());
  auto second = Listener::open(loop.executor(), (*first)->local());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), "listen_failed");
  EXPECT_EQ(Listener::open(loop.executor(), {"localhost", 0}).error().code(), "listen_failed");
}

Task<void> accept_into(Listener& listener, Result<StreamPtr>& out) {
  out = co_await listener.accept();
}

TEST(Listener, close_ends_a_pending_accept) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  Result<StreamPtr> accepted = invalid("pending");
  TaskGroup group(loop.executor());
  group.spawn([&] { return accept_into(**listener, accepted); });
  loop.run(sleep_for(milliseconds(5)));
  (*listener)->close();
  loop.run(sleep_for(milliseconds(5)));
  EXPECT_EQ(accepted.error().kind(), ErrorClass::cancelled);
  loop.run(group.stop());
}

TEST(Listener, a_v6_wildcard_shows_v4_peers_as_v4) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"::", 0});
  if (!listener.ok()) GTEST_SKIP() << "no IPv6 here";
  auto client =
      loop.run(tcp_connect(loop.executor(), "127.0.0.1", (*listener)->local().port, seconds(5)));
  if (!client.ok()) GTEST_SKIP() << "IPv6 sockets take no IPv4 here";
  auto server = loop.run((*listener)->accept());
  EXPECT_EQ((*server)->remote().ip, "127.0.0.1");
}

TEST(ParseEndpoint, takes_addresses_and_names_with_a_port) {
  EXPECT_EQ(parse_endpoint("1.2.3.4:5")->str(), "1.2.3.4:5");
  EXPECT_EQ(parse_endpoint("[::1]:65535")->str(), "[::1]:65535");
  EXPECT_EQ(parse_endpoint("[::1]:80")->ip, "::1");
  EXPECT_EQ(parse_endpoint("registry.example:0")->ip, "registry.example");
}

TEST(ParseEndpoint, refuses_everything_else) {
  for (const char* bad : {"",        ":",     "host",    "host:", ":80",      "::1:80",     "[::1]",
                          "[::1]80", "[x]:1", "h:65536", "h:-1",  "h:+1",     "h: 1",       "h:1 ",
                          "a b:1",   "a/b:1", "u@h:1",   "-h:1",  "h:000001", "[1.2.3.4]:1"}) {
    EXPECT_EQ(parse_endpoint(bad).ok(), false) << bad;
  }
}

}  // namespace
}  // namespace convoy::net
