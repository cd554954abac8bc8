#pragma once

#include <set>
#include <string>

#include "net/task_group.hpp"

namespace convoy::net {

/// Work that only one does for each key, while others wait for what comes of it. One thread.
class Turns {
 public:
  explicit Turns(Executor executor) : over_(executor) {}

  std::size_t size() const { return keys_.size(); }
  /// Until none runs for the key. False at the time-out or when cancelled.
  Task<bool> wait(std::string key, Duration timeout);

 private:
  friend class Turn;
  std::set<std::string> keys_;
  Notify over_;
};

/// A turn that runs as long as this lives; those who wait are told at its end. None may be running
/// for the key.
class Turn {
 public:
  Turn(Turns& turns, const std::string& key) : turns_(turns), at_(turns.keys_.insert(key).first) {}
  ~Turn() {
    turns_.keys_.erase(at_);
    turns_.over_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
  std::set<std::string>::iterator at_;
};

}  // namespace convoy::net
