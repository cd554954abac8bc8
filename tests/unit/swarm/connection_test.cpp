#include "swarm/transport/connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "support/swarm_world.hpp"

namespace convoy::swarm {
namespace {

/// Has all it will ever give at hand, so that nobody waits.
class ReadyStream final : public net::Stream {
 public:
  ReadyStream(net::Executor executor, Bytes bytes)
      : executor_(executor), bytes_(std::move(bytes)) {}
  net::Task<Result<std::size_t>> read_some(MutableByteView out) override {
    const std::size_t n = std::min(out.size(), bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
    at_ += n;
    co_return n;
  }
  using Stream::write;
  net::Task<Status> write(ByteView, ByteView) override { co_return Status{}; }
  net::Task<Status> send_file(int, std::uint64_t, std::uint64_t) override { co_return Status{}; }
  net::Task<void> close() override { co_return; }
  void abort() noexcept override {}
  void set_idle_timeout(Duration) override {}
  void set_notsent_lowat(std::uint32_t) override {}
  const net::Endpoint& remote() const override { return nowhere_; }
  const net::Endpoint& local() const override { return nowhere_; }
  const std::optional<net::TlsInfo>& tls() const override { return tls_; }
  net::Executor executor() const override { return executor_; }

 private:
  net::Executor executor_;
  Bytes bytes_;
  std::size_t at_ = 0;
  net::Endpoint nowhere_;
  std::optional<net::TlsInfo> tls_;
};

class Counter final : public ConnectionOwner {
 public:
  bool on_message(Connection&, const bt::Message&) override {
    ++messages;
    return true;
  }
  void on_batch() override {}
  void on_sent(Connection&, const std::vector<bt::BlockRef>&, std::uint64_t) override {}
  void on_hashes_sent(Connection&, std::size_t) override {}
  void on_closed(Connection&, const Error&) override { closed = true; }
  bool shares_link() const override { return false; }
  std::size_t messages = 0;
  bool closed = false;
};

TEST(Connection, LetsOthersHaveTheirTurnHoweverMuchIsSaid) {
  constexpr std::size_t kMessages = 100'000;
  SystemClock clock;
  const test::TestCluster cluster(clock);
  test::Loop loop;
  net::WorkerPool pool(1);
  SystemRandom random;
  security::MemoryAuditLog audit;
  net::Metrics metrics;
  Env env(loop.executor(), pool, {}, clock, random, audit, metrics, Logger::none());
  const auto owner = std::make_shared<Counter>();
  auto stream = std::make_unique<ReadyStream>(loop.executor(), Bytes(4 * kMessages));
  Admitted peer{std::move(stream), {"chatty", false, cluster.root}, {}, {}, {}, {}, {}, {}};
  std::make_shared<Connection>(env, owner, nullptr, 1, std::move(peer))->start();
  const auto most = loop.run([](Counter& seen) -> net::Task<std::size_t> {
    std::size_t before = 0, most = 0;
    do {
      most = std::max(most, seen.messages - std::exchange(before, seen.messages));
      co_await net::asio::post(net::asio::use_awaitable);
    } while (!seen.closed);
    co_return most;
  }(*owner));
  EXPECT_EQ(owner->messages, kMessages);
  EXPECT_LE(most, 256U);
  loop.run(env.tasks.stop());
}

}  // namespace
}  // namespace convoy::swarm
