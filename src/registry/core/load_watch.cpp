#include "registry/core/load_watch.hpp"

namespace convoy::registry {

LoadWatch::LoadWatch(net::WorkerPool& pool, const Clock& clock, Admission& admission,
                     net::Metrics& metrics, Logger log)
    : admission_(admission),
      log_(std::move(log)),
      metrics_(metrics),
      meter_(pool, clock, [this](const LoadSample& s) { note(s); }) {}

void LoadWatch::note(const LoadSample& sample) {
  const LoadLevel before = admission_.level();
  admission_.measured(sample);
  const LoadLevel now = admission_.level();
  metrics_.show(now, sample, connections ? connections() : ConnectionCounts{});
  if (now == before) return;
  const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  log_.warn("load level changed", {{"level", static_cast<int>(now)},
                                   {"loop_lag_ms", ms(sample.loop_lag)},
                                   {"pool_wait_ms", ms(sample.pool_wait)},
                                   {"resident_bytes", sample.resident}});
}

}  // namespace convoy::registry
