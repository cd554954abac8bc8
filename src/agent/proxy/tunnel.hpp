#pragma once

#include "net/stream.hpp"
#include "net/task.hpp"

namespace convoy::agent {

/// Copies bytes both ways until both sides have ended; the end of one side is passed on as such,
/// while the other may go on. `idle`: without a byte either way for this long both are closed.
net::Task<void> tunnel(net::StreamPtr a, net::StreamPtr b, Duration idle, const Clock&);

}  // namespace convoy::agent
