#pragma once

#include <functional>

#include "base/log.hpp"
#include "registry/core/admission.hpp"
#include "registry/core/load_meter.hpp"
#include "registry/core/load_metrics.hpp"

namespace convoy::registry {

/// Tells the admission what the meter measures, the metrics as well, and the log when the level
/// changes. Its two tasks run on the loop that is measured until they are cancelled.
class LoadWatch {
 public:
  LoadWatch(net::WorkerPool&, const Clock&, Admission&, net::Metrics&, Logger);

  /// Of the server, for the metrics; set before the tasks begin.
  std::function<ConnectionCounts()> connections;
  net::Task<void> watch_loop() { return meter_.watch_loop(); }
  net::Task<void> watch_pool() { return meter_.watch_pool(); }

 private:
  void note(const LoadSample&);

  Admission& admission_;
  Logger log_;
  LoadMetrics metrics_;
  LoadMeter meter_;
};

}  // namespace convoy::registry
