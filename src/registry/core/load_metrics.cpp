#include "registry/core/load_metrics.hpp"

namespace convoy::registry {
namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

LoadMetrics::LoadMetrics(net::Metrics& m)
    : level_(m.gauge("convoy_registry_load_level", "0 normal, 1 busy, 2 overloaded.")),
      loop_lag_(m.gauge("convoy_registry_loop_lag_seconds", "How late the event loop is.")),
      pool_wait_(m.gauge("convoy_registry_pool_wait_seconds", "How long jobs wait for a worker.")),
      resident_(m.gauge("convoy_registry_resident_bytes", "Memory of the process.")),
      connections_(m.gauge("convoy_registry_connections", "Client connections.")),
      refused_(m.counter("convoy_registry_connections_refused_total",
                         "Connections closed at once for want of room.")),
      dropped_(m.counter("convoy_registry_connections_dropped_total",
                         "Idle connections closed to make room.")) {}

void LoadMetrics::show(LoadLevel level, const LoadSample& sample, const ConnectionCounts& counts) {
  level_.set(static_cast<double>(level));
  loop_lag_.set(seconds(sample.loop_lag));
  pool_wait_.set(seconds(sample.pool_wait));
  resident_.set(static_cast<double>(sample.resident));
  connections_.set(static_cast<double>(counts.now));
  refused_.add(static_cast<double>(counts.refused - shown_.refused));
  dropped_.add(static_cast<double>(counts.dropped - shown_.dropped));
  shown_ = counts;
}

}  // namespace convoy::registry
