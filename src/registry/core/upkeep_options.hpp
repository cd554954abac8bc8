#pragma once

#include "registry/core/collector.hpp"

namespace convoy::registry {

/// Collection of what nothing names, and hashing of what is stored, while the registry serves.
struct UpkeepOptions {
  CollectRules rules;
  Duration gc_interval = std::chrono::hours(1);          ///< 0: only when asked to
  Duration gc_pause = std::chrono::milliseconds(10);     ///< between its steps
  Duration scrub_interval = std::chrono::hours(24 * 7);  ///< of whole passes; 0: only when asked to
  std::uint64_t scrub_rate = 32ULL * 1024 * 1024;  ///< bytes/s of scheduled passes; 0: no limit
};

}  // namespace convoy::registry
