#include "sim/events.hpp"

#include <utility>

namespace convoy::sim {

void Events::at(Instant when, std::uint32_t owner, std::function<void()> run) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(todo_.size());
    todo_.push_back(std::move(run));
  } else {
    slot = free_.back();
    free_.pop_back();
    todo_[slot] = std::move(run);
  }
  queue_.push({when, ++number_, owner, owner == kNobody ? 0 : lives_[owner], slot});
}

bool Events::run_next(Instant end) {
  if (queue_.empty() || queue_.top().at > end) return false;
  const Event e = queue_.top();
  queue_.pop();
  const auto run = std::exchange(todo_[e.todo], nullptr);
  free_.push_back(e.todo);
  now_ = e.at;
  if (e.owner == kNobody || lives_[e.owner] == e.life) run();
  return true;
}

}  // namespace convoy::sim
