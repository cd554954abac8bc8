#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace convoy::demo {

/// One refusal as it stands in an audit file.
struct Refusal {
  std::string role;    ///< whose file: "agent", "tracker", "registry"
  std::string action;  ///< "peer.refuse"
  std::string reason;  ///< the stable code
};

/// Looks for audit lines that appear after a moment in time.
class AuditWatch {
 public:
  /// Role and file. A role may have several files (many agents).
  explicit AuditWatch(std::vector<std::pair<std::string, std::filesystem::path>> files);
  /// Forgets everything written so far.
  void mark();
  /// The first refusal since mark() whose action is one of `actions`, waiting up to `patience`.
  std::optional<Refusal> wait(const std::vector<std::string>& actions, Duration patience);

 private:
  struct File {
    std::string role;
    std::filesystem::path path;
    std::size_t seen = 0;  ///< bytes
  };
  std::optional<Refusal> look(File&, const std::vector<std::string>& actions);
  std::vector<File> files_;
};

}  // namespace convoy::demo
