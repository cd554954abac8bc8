#include "net/turn.hpp"

#include "net/steady.hpp"

namespace convoy::net {

Task<bool> Turns::wait(std::string key, Duration timeout) {
  const SteadyTime until = steady_after(timeout);
  while (keys_.contains(key)) {
    const bool told = co_await over_.wait(until - steady_now());
    if (!told) co_return false;
  }
  co_return true;
}

}  // namespace convoy::net
