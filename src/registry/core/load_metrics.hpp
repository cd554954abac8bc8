#pragma once

#include <cstdint>

#include "net/metrics.hpp"
#include "registry/core/load.hpp"

namespace convoy::registry {

struct ConnectionCounts {
  std::size_t now = 0;
  std::uint64_t refused = 0;  ///< since the start
  std::uint64_t dropped = 0;
};

/// Load and connections as metrics.
class LoadMetrics {
 public:
  explicit LoadMetrics(net::Metrics&);
  void show(LoadLevel, const LoadSample&, const ConnectionCounts&);

 private:
  net::Gauge& level_;
  net::Gauge& loop_lag_;
  net::Gauge& pool_wait_;
  net::Gauge& resident_;
  net::Gauge& connections_;
  net::Counter& refused_;
  net::Counter& dropped_;
  ConnectionCounts shown_;
};

}  // namespace convoy::registry
