#pragma once

#include <string>
#include <unordered_set>

#include "base/clock.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::registry {

/// Decides which pulls are worth a note in the metadata: of each reference the first in a while, so
/// that a thousand nodes pulling one image cost one write. One thread.
class PullNotes {
 public:
  /// `every`: how exact the times of the last pulls are.
  PullNotes(const Clock& clock, Duration every) : clock_(clock), every_(every) {}

  /// True for the first pull of a turn.
  bool due(const oci::RepoName& repository, const oci::Reference& reference) {
    const SteadyTime now = clock_.steady();
    if (now - began_ >= every_ || noted_.size() >= kMaxNoted) {
      noted_.clear();
      began_ = now;
    }
    return noted_.insert(repository.str() + ' ' + oci::to_string(reference)).second;
  }

 private:
  static constexpr std::size_t kMaxNoted = 100'000;
  const Clock& clock_;
  Duration every_;
  SteadyTime began_{};
  std::unordered_set<std::string> noted_;
};

}  // namespace convoy::registry
