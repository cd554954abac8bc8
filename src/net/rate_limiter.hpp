#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/token_bucket.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// A line, first come first served, before one account of bytes or several that must all let a
/// taker pass; shared by all streams of one direction. Others may take from the accounts meanwhile.
/// One thread. Rates may be changed while waiters stand in line.
class RateLimiter {
 public:
  using Buckets = std::vector<std::shared_ptr<TokenBucket>>;

  /// With an account of its own; rate 0 means no limit.
  explicit RateLimiter(Executor, std::uint64_t bytes_per_second = 0);
  /// Not empty, none of them null.
  RateLimiter(Executor, Buckets);
  ~RateLimiter();
  /// Of the first account.
  void set_rate(std::uint64_t bytes_per_second);
  /// To be called when the rate of an account was changed elsewhere.
  void rates_changed();
  /// The lowest one; 0 when there is none.
  std::uint64_t rate() const;
  /// Waits until `bytes` may pass. False when cancelled.
  Task<bool> acquire(std::uint64_t bytes);
  /// What was acquired and not used.
  void give_back(std::uint64_t bytes);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace convoy::net
