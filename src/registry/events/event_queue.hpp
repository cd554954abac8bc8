#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "registry/events/event.hpp"

namespace convoy::registry {

/// Events that wait for one receiver, first in first out. When it is full the oldest pull goes,
/// the new event itself if it is a pull and none waits; without pulls the oldest event goes. Every
/// call costs the same. Not safe for use by two threads.
class EventQueue {
 public:
  explicit EventQueue(std::size_t most) : most_(most) {}

  /// False when an event was lost for it.
  bool add(EventPtr);
  EventPtr take();  ///< null when it is empty
  std::size_t size() const { return pulls_.size() + others_.size(); }

 private:
  using Line = std::deque<std::pair<std::uint64_t, EventPtr>>;

  std::size_t most_;
  std::uint64_t next_ = 0;
  Line pulls_;
  Line others_;
};

}  // namespace convoy::registry
