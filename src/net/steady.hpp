#pragma once

#include "base/clock.hpp"

namespace convoy::net {

/// Internal to net: the time that Asio's timers tick by, which no clock from outside could replace.
SteadyTime steady_now();
/// `d` from now, without overflow.
SteadyTime steady_after(Duration d);

}  // namespace convoy::net
