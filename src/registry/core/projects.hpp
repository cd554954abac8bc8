#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace convoy::registry {

/// Which tags stay. A tag that rules speak of is kept when one of them keeps it; a tag that none
/// speaks of is kept.
struct RetentionRule {
  std::vector<std::string> repositories{"**"};  ///< patterns as in grants
  std::vector<std::string> tags{"*"};           ///< `*` within a tag
  std::uint64_t keep_newest = 0;                ///< of each repository, by the time of the push
  std::optional<Duration> keep_pushed;          ///< pushed within this time
  std::optional<Duration> keep_pulled;          ///< pulled within this time
};

/// What holds for the repositories `name` and `name/…`. The name "*" stands for all that no other
/// project covers; each first part of a name is then a project of its own.
struct Project {
  std::string name;
  std::uint64_t quota_bytes = 0;            ///< 0: no limit
  std::vector<std::string> immutable_tags;  ///< patterns; such a tag is never moved or removed
  std::vector<RetentionRule> retention;
};

struct CollectRules {
  /// A blob that was pushed, mounted, asked for or set free within this time stays.
  Duration lease = std::chrono::hours(2);
  /// A manifest without tag, index or subject goes when it was neither pushed, pulled nor set free
  /// for this long; 0: never.
  Duration untagged_age = std::chrono::hours(24 * 30);
};

/// The projects of a registry. Immutable; safe from any thread.
class ProjectBook {
 public:
  struct Found {
    const Project* project = nullptr;  ///< null: no rules
    /// Repositories at and below it count together, but for those of inner().
    std::string prefix;
  };

  explicit ProjectBook(std::vector<Project> projects) : projects_(std::move(projects)) {}
  /// The longest name that covers the repository wins.
  Found find(std::string_view repository) const;
  /// The names below `prefix` whose repositories count in projects of their own.
  std::vector<std::string> inner(std::string_view prefix) const;
  bool immutable(std::string_view repository, std::string_view tag) const;
  const std::vector<Project>& all() const { return projects_; }

 private:
  std::vector<Project> projects_;
};

}  // namespace convoy::registry
