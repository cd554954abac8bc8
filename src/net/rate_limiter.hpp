#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/token_bucket.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// Two lines before one account of bytes or several that must all let a taker pass; shared by all
/// streams of one direction. In each it is first come first served; while somebody stands in both,
/// each line gets half of the bytes. Others may take from the accounts meanwhile. One thread. Rates
/// may be changed while waiters stand in line.
class RateLimiter {
 public:
  /// Those of whom there may be any number, and the one whose bytes serve a whole swarm.
  enum class Line : std::uint8_t { many, swarm };
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
  /// What is to be taken at once so that others have their turn: no more than passes in a tenth of
  /// a second, or 16 KiB; `most` without a limit.
  std::size_t turn(std::size_t most) const;
  /// Waits until `bytes` may pass. False when cancelled.
  Task<bool> acquire(std::uint64_t bytes, Line line = Line::many);
  /// What was acquired and not used.
  void give_back(std::uint64_t bytes);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace convoy::net
