#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/token_bucket.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// Three lines before one account of bytes or several that must all let a taker pass; shared by all
/// streams of one direction. In each it is first come first served. While somebody stands in more
/// than one, bytes are shared: six parts for the brief line, one for each of the others. Others may
/// take from the accounts meanwhile. One thread. Rates may be changed while waiters stand in line.
class RateLimiter {
 public:
  /// Answers so short that nobody notices who let them pass; the one whose bytes serve a whole
  /// swarm; and those of whom there may be any number.
  enum class Line : std::uint8_t { brief, swarm, many };
  using Buckets = std::vector<std::shared_ptr<TokenBucket>>;
  /// More than this in one acquisition counts as this in the sharing.
  static constexpr std::uint64_t kMost = 256 * 1024;

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
