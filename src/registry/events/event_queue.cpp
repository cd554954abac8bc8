#include "registry/events/event_queue.hpp"

namespace convoy::registry {

bool EventQueue::add(EventPtr event) {
  const bool pull = event->kind == EventKind::pull;
  const bool full = size() >= most_;
  if (full) {
    if (pulls_.empty() && pull) return false;
    Line& victims = pulls_.empty() ? others_ : pulls_;
    if (victims.empty()) return false;
    victims.pop_front();
  }
  (pull ? pulls_ : others_).emplace_back(next_++, std::move(event));
  return !full;
}

EventPtr EventQueue::take() {
  if (size() == 0) return nullptr;
  const bool from_pulls =
      others_.empty() || (!pulls_.empty() && pulls_.front().first < others_.front().first);
  Line& line = from_pulls ? pulls_ : others_;
  EventPtr out = std::move(line.front().second);
  line.pop_front();
  return out;
}

}  // namespace convoy::registry
