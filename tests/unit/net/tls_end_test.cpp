#include <algorithm>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/net_tls.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// How a stream ends whose socket is full. The test fills and empties it beneath TLS.
class TlsEnd : public test::TlsFixture {
 protected:
  void SetUp() override {
    test::Pair plain = loop.run(test::plain_pair(loop.executor()));
    near_ = test::fd_of(*plain.server);
    far_ = test::fd_of(*plain.client);
    pair = loop.run(
        test::tls_over(loop.executor(), std::move(plain), server(), client(), "localhost"));
    ASSERT_TRUE(pair.ok());
    (*pair.client)->set_idle_timeout(seconds(5));
    // With it comes the session ticket.
    ASSERT_TRUE(loop.run((*pair.server)->write(as_bytes("ping"))).ok());
    ASSERT_EQ(*read(**pair.client), "ping");
  }
  void fill() {
    const Bytes block(64 * 1024);
    for (std::size_t size = block.size(); size > 0; size /= 2) {
      ssize_t n = 0;
      while ((n = ::send(near_, block.data(), size, MSG_NOSIGNAL)) > 0) {
        filler_ += static_cast<std::size_t>(n);
      }
    }
  }
  Task<void> empty() {
    Bytes block(64 * 1024);
    while (filler_ > 0) {
      const ssize_t n = ::recv(far_, block.data(), std::min(filler_, block.size()), 0);
      if (n > 0) filler_ -= static_cast<std::size_t>(n);
      if (n <= 0 && !co_await sleep_for(milliseconds(1))) co_return;
    }
  }

  test::TlsPair pair;

 private:
  int near_ = -1, far_ = -1;
  std::size_t filler_ = 0;
};

TEST_F(TlsEnd, shutdown_write_waits_for_room) {
  Status said = cancelled();
  test::Tasks tasks(loop);
  const auto shut = [&]() -> Task<void> { said = co_await (*pair.server)->shutdown_write(); };
  fill();
  tasks->spawn(shut);
  loop.run(empty());
  const auto end = read(**pair.client);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_EQ(*end, "");
  EXPECT_TRUE(said.ok());
}

TEST_F(TlsEnd, shutdown_write_waits_no_longer_than_the_idle_timeout) {
  (*pair.server)->set_idle_timeout(milliseconds(30));
  fill();
  const Status said = loop.run((*pair.server)->shutdown_write());
  ASSERT_FALSE(said.ok());
  EXPECT_EQ(said.error().code(), "stream_idle");
}

TEST_F(TlsEnd, close_waits_for_room) {
  test::Tasks tasks(loop);
  fill();
  tasks->spawn([&] { return (*pair.server)->close(); });
  loop.run(empty());
  const auto end = read(**pair.client);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_EQ(*end, "");
}

TEST_F(TlsEnd, a_write_that_broke_off_has_no_orderly_end) {
  (*pair.server)->set_idle_timeout(milliseconds(30));
  const Bytes block(32 * 1024);
  while (loop.run((*pair.server)->write(block)).ok()) {
  }
  test::Tasks tasks(loop);
  tasks->spawn([&] { return (*pair.server)->close(); });
  Bytes buffer(64 * 1024);
  auto got = loop.run((*pair.client)->read_some(buffer));
  while (got.ok() && *got > 0) got = loop.run((*pair.client)->read_some(buffer));
  EXPECT_FALSE(got.ok()) << "half of it passed for the whole";
}

}  // namespace
}  // namespace convoy::net
