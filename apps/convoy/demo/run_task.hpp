#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

#include "net/task.hpp"
#include "net/task_group.hpp"

namespace convoy::demo {

/// Runs one coroutine to its end on a loop of its own.
template <class Make>
auto run_task(Make make) {
  net::asio::io_context loop(1);
  using T = typename std::invoke_result_t<Make, net::Executor>::value_type;
  std::optional<T> result;
  net::TaskGroup group(loop.get_executor());
  group.spawn([&]() -> net::Task<void> { result = co_await make(loop.get_executor()); });
  loop.run();
  return std::move(*result);
}

}  // namespace convoy::demo
