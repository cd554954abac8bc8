#include "net/tls_records.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <vector>

#include "net/plain_stream.hpp"
#include "net/tls.hpp"
#include "support/net_certs.hpp"
#include "support/net_loop.hpp"
#include "support/net_pair.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Loop;
using test::Pair;
using tls::RecordTrack;

Bytes record(std::size_t body) {
  Bytes out{23, 3, 3, static_cast<std::uint8_t>(body >> 8), static_cast<std::uint8_t>(body)};
  out.resize(out.size() + body, 0xff);
  return out;
}

TEST(RecordTrack, knows_what_is_missing_however_the_bytes_are_cut) {
  Bytes all;
  for (const std::size_t body : std::vector<std::size_t>{1, 300, 0, 16640, 5}) {
    const Bytes one = record(body);
    all.insert(all.end(), one.begin(), one.end());
  }
  for (const std::size_t step : std::vector<std::size_t>{1, 2, 3, 7, 4096}) {
    RecordTrack track;
    std::size_t records = 0;
    for (std::size_t at = 0; at < all.size(); at += step) {
      records += track.feed(ByteView(all).subspan(at, std::min(step, all.size() - at)));
    }
    EXPECT_EQ(records, 5U) << step;
    EXPECT_EQ(track.missing(), 0U) << step;
  }
  RecordTrack track;
  track.feed(ByteView(all).first(6 + 4));
  EXPECT_EQ(track.missing(), 0U) << "a header that is not whole says nothing";
  track.feed(ByteView(all).subspan(10, 1));
  EXPECT_EQ(track.missing(), 300U);
  track.feed(ByteView(all).subspan(11, 299));
  EXPECT_EQ(track.missing(), 1U);
}

/// Passes bytes on to a client, as many as it is let.
class Relay {
 public:
  Relay(Executor executor, StreamPtr from, StreamPtr to)
      : from_(std::move(from)), to_(std::move(to)), more_(executor), tasks_(executor) {
    tasks_.spawn([this] { return down(); });
    tasks_.spawn([this] { return up(); });
  }
  void let(std::size_t bytes) {
    left_ += bytes;
    more_.notify_all();
  }
  void hold() { left_ = 0; }
  void cut() {
    from_->abort();
    to_->abort();
  }
  void cut_in(Duration d) {
    const auto later = [this, d]() -> Task<void> {
      if (co_await sleep_for(d)) cut();
    };
    tasks_.spawn(later);
  }
  Task<void> stop() {
    cut();
    more_.notify_all();
    co_await tasks_.stop();
  }

 private:
  /// A packet at a time, as on a slow link.
  Task<void> down() {
    Bytes packet(1400);
    for (;;) {
      while (left_ == 0) {
        if (!co_await more_.wait(seconds(20))) co_return;
      }
      const auto n =
          co_await to_->read_some(MutableByteView(packet).first(std::min(left_, packet.size())));
      if (!n || *n == 0) co_return;
      left_ -= *n;
      if (!(co_await from_->write(ByteView(packet).first(*n)))) co_return;
      if (!co_await sleep_for(std::chrono::microseconds(200))) co_return;
    }
  }
  Task<void> up() {
    Bytes packet(4096);
    for (;;) {
      const auto n = co_await from_->read_some(packet);
      if (!n || *n == 0) co_return;
      if (!(co_await to_->write(ByteView(packet).first(*n)))) co_return;
    }
  }

  StreamPtr from_, to_;  ///< of the client, of the server
  Notify more_;
  TaskGroup tasks_;
  std::size_t left_ = 0;
};

/// Read with little acknowledged, or not.
class WholeRecords : public ::testing::TestWithParam<bool> {
 protected:
  static constexpr std::size_t kHandshake = 64 * 1024;

  void SetUp() override {
    TlsServerOptions s;
    s.identity = ca_.issue({});
    TlsClientOptions c;
    c.roots_pem = ca_.root_pem();
    auto server = TlsServerContext::make(std::move(s));
    auto client = TlsClientContext::make(std::move(c));
    ASSERT_TRUE(server.ok() && client.ok());
    loop_.run(connect(*server, *client));
    ASSERT_TRUE(client_ && server_);
    client_->read_whole_records(GetParam());
    client_->set_idle_timeout(seconds(5));
  }
  void TearDown() override { loop_.run(relay_->stop()); }

  Task<void> connect(std::shared_ptr<TlsServerContext> server,
                     std::shared_ptr<TlsClientContext> client) {
    Pair near = co_await test::plain_pair(loop_.executor());
    sending_ = dynamic_cast<PlainStream&>(*near.server).fd();
    Pair far = co_await test::plain_pair(loop_.executor());
    relay_ =
        std::make_unique<Relay>(loop_.executor(), std::move(near.server), std::move(far.client));
    relay_->let(kHandshake);
    TaskGroup accepting(loop_.executor());
    Notify accepted(loop_.executor());
    const auto accept = [&]() -> Task<void> {
      auto got = co_await tls_accept(std::move(far.server), server, seconds(5));
      if (got) server_ = std::move(*got);
      accepted.notify_all();
    };
    accepting.spawn(accept);
    auto got = co_await tls_connect(std::move(near.client), client, "localhost", seconds(5));
    if (got) client_ = std::move(*got);
    if (!server_) static_cast<void>(co_await accepted.wait(seconds(5)));
    co_await accepting.stop();
    relay_->hold();
  }
  Result<std::size_t> read(MutableByteView out) { return loop_.run(client_->read_some(out)); }
  /// As linux/tcp.h has it behind what glibc knows.
  std::uint32_t segments_in() const {
    std::array<std::uint32_t, 64> info{};
    socklen_t length = sizeof info;
    EXPECT_EQ(::getsockopt(sending_, IPPROTO_TCP, TCP_INFO, info.data(), &length), 0);
    return info[35];
  }
  void write(ByteView bytes) { ASSERT_TRUE(loop_.run(server_->write(bytes)).ok()); }

  Loop loop_;
  test::TestCa ca_{"cluster root"};
  int sending_ = -1;  ///< the relay's socket to the client
  std::unique_ptr<Relay> relay_;
  StreamPtr client_, server_;
};

TEST_P(WholeRecords, bytes_arrive_in_order_and_none_waits_for_what_follows_its_record) {
  const Bytes small(100, 1);
  Bytes large(40'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 7);
  for (int round = 0; round < 20; ++round) {
    write(small);
    write(large);
    relay_->let(100'000);
    Bytes got(small.size() + large.size());
    std::size_t filled = 0;
    while (filled < got.size()) {
      const auto n = read(MutableByteView(got).subspan(filled));
      ASSERT_TRUE(n.ok()) << n.error().text();
      filled += *n;
    }
    EXPECT_TRUE(std::equal(large.begin(), large.end(), got.begin() + 100));
  }
}

TEST_P(WholeRecords, a_short_record_after_a_long_one_wakes_the_reader) {
  Bytes large(16'000, 2), got(64 * 1024);
  write(large);
  relay_->let(100'000);
  std::size_t filled = 0;
  while (filled < large.size()) filled += *read(got);
  // Nothing is on its way now; then one byte is.
  write(Bytes(1, 3));
  const auto n = read(got);
  ASSERT_TRUE(n.ok()) << n.error().text();
  EXPECT_EQ(*n, 1U);
  EXPECT_EQ(got[0], 3);
}

TEST_P(WholeRecords, what_is_longer_than_a_packet_and_shorter_than_a_block_comes_too) {
  client_->set_idle_timeout(milliseconds(500));
  Bytes got(64 * 1024);
  for (const std::size_t size : std::vector<std::size_t>{1500, 4'000, 16'000}) {
    write(Bytes(size, 2));
    relay_->let(100'000);
    loop_.run(sleep_for(milliseconds(20)));  // all of it is there before it is asked for
    std::size_t filled = 0;
    while (filled < size) {
      const auto n = read(got);
      ASSERT_TRUE(n.ok()) << n.error().text();
      filled += *n;
    }
  }
}

TEST_P(WholeRecords, an_end_amid_a_record_is_told_at_once) {
  write(Bytes(16'000, 2));
  relay_->let(5'000);
  relay_->cut_in(milliseconds(100));
  Bytes got(64 * 1024);
  const auto n = read(got);
  ASSERT_FALSE(n.ok());
  EXPECT_NE(n.error().code(), "stream_idle");
}

TEST_P(WholeRecords, a_record_that_does_not_end_is_idle) {
  client_->set_idle_timeout(milliseconds(100));
  write(Bytes(16'000, 2));
  relay_->let(5'000);
  Bytes got(64 * 1024);
  const auto n = read(got);
  ASSERT_FALSE(n.ok());
  EXPECT_EQ(n.error().code(), "stream_idle");
}

TEST_P(WholeRecords, that_come_slowly_are_acknowledged_seldom_where_that_is_wanted) {
  constexpr int kRecords = 3;
  constexpr std::size_t kPackets = 12;
  Bytes got(64 * 1024);
  const std::uint32_t before = segments_in();
  for (int i = 0; i < kRecords; ++i) {
    write(Bytes(16'000, 2));
    relay_->let(100'000);
    std::size_t filled = 0;
    while (filled < 16'000) filled += read(got).value();
  }
  const auto acknowledged = segments_in() - before;
  if (GetParam()) {
    EXPECT_LE(acknowledged, 2 * kRecords + 2);
  } else {
    EXPECT_GE(acknowledged, kRecords * kPackets / 3);
  }
}

INSTANTIATE_TEST_SUITE_P(, WholeRecords, ::testing::Bool(),
                         [](const auto& thrifty) { return thrifty.param ? "thrifty" : "eager"; });

}  // namespace
}  // namespace convoy::net
