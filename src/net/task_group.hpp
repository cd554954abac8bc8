#pragma once

#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// Owns the coroutines started in it: nothing runs detached. stop() cancels and waits, so that
/// after it none is left that could touch what the owner destroys. One thread.
class TaskGroup {
 public:
  explicit TaskGroup(Executor);
  /// Every task must be over (stop() was awaited, none was left, or the loop that held them is
  /// gone); ends the process otherwise.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts it; it may run up to its first suspension before this returns. The function object
  /// lives as long as the task. An exception that leaves a task is a bug and ends the process
  /// with its text. Ignored after stop() was called.
  void spawn(std::function<Task<void>()>);
  std::size_t size() const;
  /// Emits terminal cancellation to every task and waits until all are gone, also when the
  /// caller is itself cancelled. Never call it from a task of this group. From then on every
  /// wait of net's types inside such a task ends at once with "cancelled" or false.
  Task<void> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Suspends. Ends early with false when cancelled.
Task<bool> sleep_for(Duration);

/// An event that many may wait for; notify_all wakes them. One thread.
class Notify {
 public:
  explicit Notify(Executor);
  ~Notify();
  void notify_all();
  /// True when notified, false at the time-out or when cancelled.
  Task<bool> wait(Duration timeout);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace convoy::net
