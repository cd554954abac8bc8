#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "sim/options.hpp"

namespace convoy::sim {

/// What is to happen, in virtual time; events of one instant in the order they were planned. One
/// that belongs to an owner is void once the life of the owner in which it was planned is over.
class Events {
 public:
  static constexpr std::uint32_t kNobody = ~0U;

  explicit Events(std::uint32_t owners) : lives_(owners) {}

  Instant now() const { return now_; }
  void at(Instant, std::uint32_t owner, std::function<void()>);
  void end_life(std::uint32_t owner) { ++lives_[owner]; }
  /// False when nothing is left before the end.
  bool run_next(Instant end);

 private:
  /// Small, for the heap moves them about; what is to be done stands in `todo_`.
  struct Event {
    Instant at;
    std::uint64_t number;
    std::uint32_t owner, life, todo;
    bool operator<(const Event& o) const {
      return std::pair(at, number) > std::pair(o.at, o.number);
    }
  };

  std::priority_queue<Event> queue_;
  std::vector<std::function<void()>> todo_;
  std::vector<std::uint32_t> free_;  ///< slots of it
  std::vector<std::uint32_t> lives_;
  std::uint64_t number_ = 0;
  Instant now_{};
};

}  // namespace convoy::sim
