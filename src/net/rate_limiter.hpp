#pragma once

#include <cstdint>
#include <memory>

#include "net/task.hpp"

namespace convoy::net {

/// A token bucket over bytes, shared by all streams of one direction, first come first served.
/// One thread. Rate 0 means no limit; it may be changed while waiters stand in line.
class RateLimiter {
 public:
  explicit RateLimiter(Executor, std::uint64_t bytes_per_second = 0);
  ~RateLimiter();
  void set_rate(std::uint64_t bytes_per_second);
  std::uint64_t rate() const;
  /// Waits until `bytes` may pass. False when cancelled.
  Task<bool> acquire(std::uint64_t bytes);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace convoy::net
