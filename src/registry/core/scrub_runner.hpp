#pragma once

#include <functional>
#include <optional>

#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/admin_desk.hpp"
#include "registry/core/upkeep_options.hpp"

namespace convoy::registry {

/// Drives the desk's scrubs on a thread of its own, whose reads come after all others': begins one
/// when it is due, and keeps those that it began to the rate of the options. Its task runs on one
/// loop until it is cancelled.
class ScrubRunner {
 public:
  /// `stepped` is called on the loop after each step. All must outlive the task; `pool` is for
  /// what does not read blobs.
  ScrubRunner(net::Executor, net::WorkerPool& pool, const Clock&, AdminDesk&, const UpkeepOptions&,
              std::function<void()> stepped);

  net::Task<void> run();
  /// Someone had the desk begin one.
  void wake() { wake_.notify_all(); }
  /// Call before its task is cancelled.
  void end() { ended_ = true; }

 private:
  net::Task<std::optional<Duration>> until_due();
  Duration pause(bool scheduled, SteadyTime began) const;

  net::WorkerPool& pool_;
  const Clock& clock_;
  AdminDesk& desk_;
  const UpkeepOptions& options_;
  std::function<void()> stepped_;
  net::WorkerPool quiet_;
  net::Notify wake_;
  bool ended_ = false;
};

}  // namespace convoy::registry
