#pragma once

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "net/socket.hpp"
#include "net/steady.hpp"

namespace convoy::net {

/// Internal to net: one timer for a whole socket. A wait only writes down its deadline; the timer
/// is set anew when it is not running or would fire too late.
struct Socket::Watch : std::enable_shared_from_this<Watch> {
  Watch(Executor executor, Socket* s) : timer(executor), owner(s) {}

  void arm() {
    const SteadyTime first = std::min(until[0], until[1]);
    if (first == SteadyTime::max() || armed <= first) return;
    armed = first;
    timer.expires_at(first);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!ec && self->owner != nullptr) self->fire();
    });
  }

  void fire() {
    armed = SteadyTime::max();
    const SteadyTime now = steady_now();
    bool any = false;
    for (std::size_t i = 0; i < until.size(); ++i) {
      if (until[i] > now) continue;
      until[i] = SteadyTime::max();
      expired[i] = true;
      any = true;
    }
    boost::system::error_code ignored;
    if (any) owner->descriptor_.cancel(ignored);
    arm();
  }

  asio::steady_timer timer;
  Socket* owner;
  std::array<SteadyTime, 2> until{SteadyTime::max(), SteadyTime::max()};
  std::array<bool, 2> expired{};
  SteadyTime armed = SteadyTime::max();
};

}  // namespace convoy::net
