#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace convoy::demo {

/// Tells a person at a terminal what is going on; plain lines when there is no terminal.
/// Writes to standard error, so that --json leaves standard output clean.
class Progress {
 public:
  explicit Progress(const Clock& clock);
  /// Opens a step: "Pulling through the swarm".
  void step(std::string_view what);
  /// Shows how far the step is; redraws one line on a terminal, says nothing elsewhere.
  void update(std::string_view detail);
  /// Closes the step with its result and its seconds.
  void done(std::string_view result = {});

 private:
  const Clock& clock_;
  bool terminal_;
  std::string what_;
  SteadyTime start_;
};

}  // namespace convoy::demo
