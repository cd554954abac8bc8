#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace convoy::net {

namespace asio = boost::asio;

/// A coroutine of the event loop. Parameters are taken by value: a reference to a temporary
/// would be dead at the first suspension.
template <class T>
using Task = asio::awaitable<T>;
using Executor = asio::any_io_executor;

}  // namespace convoy::net
