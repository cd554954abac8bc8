#include <future>
#include <gtest/gtest.h>

#include "net/tcp.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_tls.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A server's end of a connection with a client that sends what it likes.
class TlsControl : public test::TlsFixture {
 protected:
  void SetUp() override {
    auto accepted = accept(foreign, server());
    ASSERT_TRUE(accepted.ok());
    stream = std::move(*accepted);
  }
  /// From another thread; waits until the kernel has all, or as good as.
  void send(std::string bytes) {
    sender =
        std::async(std::launch::async, [this, sent = std::move(bytes)] { foreign.send(sent); });
    sender.wait_for(seconds(1));
  }
  void TearDown() override {
    if (stream) stream->abort();
  }

  test::ForeignTls foreign;
  StreamPtr stream;
  std::future<void> sender;
};

TEST_F(TlsControl, a_flood_of_key_updates_leaves_others_their_turns) {
  send(foreign.key_updates(200 * 1024) + foreign.record("x"));
  int ticks = 0;
  test::Tasks tasks(loop);
  const auto tick = [&]() -> Task<void> {
    while (co_await sleep_for(milliseconds(1))) ++ticks;
  };
  tasks->spawn(tick);
  EXPECT_EQ(*read(*stream), "x");
  EXPECT_GE(ticks, 1);
}

TEST_F(TlsControl, key_updates_without_end_end_the_connection) {
  send(foreign.key_updates(512 * 1024) + foreign.record("x"));
  const auto got = read(*stream);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), "stream_failed");
  EXPECT_EQ(read(*stream).error().code(), "stream_failed") << "and it stays so";
}

TEST_F(TlsControl, data_between_lets_key_updates_go_on) {
  for (int i = 0; i < 4; ++i) {
    send(foreign.key_updates(100 * 1024) + foreign.record("x"));
    EXPECT_EQ(*read(*stream), "x");
  }
}

TEST_F(TlsControl, a_flood_is_not_quiet) {
  EXPECT_TRUE(stream->quiet());
  send(foreign.key_updates(100 * 1024));
  EXPECT_FALSE(stream->quiet());
}

}  // namespace
}  // namespace convoy::net
