#include "agent/proxy/tunnel.hpp"

#include <vector>

#include "net/task_group.hpp"

namespace convoy::agent {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;

struct Traffic {
  SteadyTime last;
  int running = 2;
  bool broken = false;
};

net::Task<void> copy(net::Stream& from, net::Stream& to, Traffic& traffic, Duration idle,
                     const Clock& clock) {
  std::vector<std::uint8_t> buffer(kBuffer);
  for (;;) {
    auto n = co_await from.read_some(buffer);
    if (!n) {
      const bool silent = n.error().kind() == ErrorClass::timeout;
      // The other direction may be the busy one.
      if (silent && clock.steady() - traffic.last < idle) continue;
      traffic.broken = true;
      break;
    }
    traffic.last = clock.steady();
    if (*n == 0) {
      auto ended = co_await to.shutdown_write();
      traffic.broken = traffic.broken || !ended;
      break;
    }
    const ByteView bytes(buffer.data(), *n);
    auto written = co_await to.write(bytes);
    if (!written) {
      traffic.broken = true;
      break;
    }
  }
  --traffic.running;
}

}  // namespace

net::Task<void> tunnel(net::StreamPtr a, net::StreamPtr b, Duration idle, const Clock& clock) {
  a->set_idle_timeout(idle);
  b->set_idle_timeout(idle);
  Traffic traffic{.last = clock.steady()};
  net::TaskGroup group(a->executor());
  net::Notify ended(a->executor());
  net::Stream* client = a.get();
  net::Stream* server = b.get();
  group.spawn([&, client, server]() -> net::Task<void> {
    co_await copy(*server, *client, traffic, idle, clock);
    if (traffic.broken) client->abort();
    ended.notify_all();
  });
  co_await copy(*client, *server, traffic, idle, clock);
  if (traffic.broken) server->abort();
  while (traffic.running > 0 && !traffic.broken) {
    co_await ended.wait(idle);
    const bool alive = co_await net::sleep_for(Duration::zero());
    if (!alive) break;
  }
  if (traffic.running > 0) {
    a->abort();
    b->abort();
  }
  co_await group.stop();
  if (!traffic.broken) {
    co_await a->close();
    co_await b->close();
  }
}

}  // namespace convoy::agent
