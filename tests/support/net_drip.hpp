#pragma once

#include <string>

#include "net/stream.hpp"
#include "net/task_group.hpp"

namespace convoy::test {

/// Writes it byte by byte, with a pause after each.
inline net::Task<void> drip(net::Stream& stream, std::string text, Duration pause) {
  for (const char& c : text) {
    auto written = co_await stream.write(as_bytes(std::string_view(&c, 1)));
    if (!written || !co_await net::sleep_for(pause)) co_return;
  }
}

}  // namespace convoy::test
