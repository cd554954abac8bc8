#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "registry/core/keyed_cells.hpp"

namespace convoy::registry {

struct RateLimit {
  std::uint64_t per_second = 0;  ///< in the long run; 0: no limit
  std::uint64_t burst = 1;       ///< at once, at least 1
};

/// A limit of requests per second for each key (GCRA) in memory of fixed size. What is refused does
/// not count. One thread.
class RequestRate {
 public:
  RequestRate(RateLimit, Random&);
  /// Counts one request of `key`; how long it has to wait instead, when it is too many.
  std::optional<Duration> take(std::string_view key, SteadyTime now);

 private:
  Duration interval_{};
  Duration tolerance_{};
  std::unique_ptr<KeyedCells> due_;  ///< when the next request of an even stream would come
};

}  // namespace convoy::registry
