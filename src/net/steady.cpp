#include "net/steady.hpp"

#include <algorithm>

namespace convoy::net {

SteadyTime steady_now() { return SystemClock().steady(); }

SteadyTime steady_after(Duration d) {
  constexpr Duration kFar = std::chrono::hours(24 * 365);
  return steady_now() + std::min(d, kFar);
}

}  // namespace convoy::net
