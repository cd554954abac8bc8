#pragma once

#include <functional>

#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/admin_desk.hpp"
#include "registry/core/upkeep_options.hpp"

namespace convoy::registry {

/// Drives the desk's collections: begins one when it is due, takes their steps on workers with a
/// pause between them. Its task runs on one loop until it is cancelled.
class CollectionRunner {
 public:
  /// `stepped` is called on the loop after each step. All must outlive the task.
  CollectionRunner(net::Executor, net::WorkerPool&, const Clock&, AdminDesk&, const UpkeepOptions&,
                   std::function<void()> stepped);

  net::Task<void> run();
  /// Someone had the desk begin one.
  void wake() { wake_.notify_all(); }
  /// Call before its task is cancelled.
  void end() { ended_ = true; }

 private:
  Duration until(SteadyTime due) const;

  net::WorkerPool& pool_;
  const Clock& clock_;
  AdminDesk& desk_;
  const UpkeepOptions& options_;
  std::function<void()> stepped_;
  net::Notify wake_;
  bool ended_ = false;
};

}  // namespace convoy::registry
