#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.hpp"

namespace convoy::tracker {

struct CallLimits {
  double per_second = 100;
  double burst = 1000;
  std::size_t max_nodes = 100'000;
};

/// A token bucket for each node. Pure.
class CallLimiter {
 public:
  explicit CallLimiter(CallLimits limits) : limits_(limits) {}
  /// Whether this call may go on.
  bool admit(const std::string& node, SteadyTime now);
  /// Forgets nodes whose bucket is full again.
  void expire(SteadyTime now);
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    SteadyTime at;
  };
  double filled(const Bucket&, SteadyTime now) const;

  CallLimits limits_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace convoy::tracker
