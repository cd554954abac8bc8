#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "net/task.hpp"
#include "net/task_group.hpp"

namespace convoy::test {

/// An event loop that a test drives: `auto r = loop.run(task());`
class Loop {
 public:
  net::Executor executor() { return io_.get_executor(); }

  /// Runs until `task` is over and returns its value. Other tasks go on in the next run().
  /// Ends the process when that takes longer than `limit`.
  template <class T>
  T run(net::Task<T> task, std::chrono::seconds limit = std::chrono::seconds(60)) {
    std::optional<T> out;
    run(keep(std::move(task), out), limit);
    return std::move(*out);
  }
  void run(net::Task<void> task, std::chrono::seconds limit = std::chrono::seconds(60)) {
    bool done = false;
    net::asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
      done = true;
    });
    turn(done, limit);
  }

 private:
  template <class T>
  static net::Task<void> keep(net::Task<T> task, std::optional<T>& out) {
    T value = co_await std::move(task);
    out.emplace(std::move(value));
  }

  void turn(const bool& done, std::chrono::seconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    io_.restart();
    while (!done && std::chrono::steady_clock::now() < until) {
      if (io_.run_one_until(until) == 0) io_.restart();
    }
    if (done) return;
    std::fprintf(stderr, "test: a task did not end in time\n");
    std::abort();
  }

  net::asio::io_context io_;
};

/// A TaskGroup that is stopped when the test ends.
class Tasks {
 public:
  explicit Tasks(Loop& loop) : loop_(loop), group_(loop.executor()) {}
  ~Tasks() { loop_.run(group_.stop()); }
  net::TaskGroup* operator->() { return &group_; }
  net::TaskGroup& operator*() { return group_; }

 private:
  Loop& loop_;
  net::TaskGroup group_;
};

}  // namespace convoy::test
