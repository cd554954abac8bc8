#include "base/clock.hpp"

#include <fmt/chrono.h>

namespace convoy {

UnixTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

std::string to_rfc3339(UnixTime t) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(t)));
}

}  // namespace convoy
