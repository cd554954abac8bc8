#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::tracker {

using ShortHash = std::array<std::uint8_t, 20>;  ///< what an announce carries (BEP 52)
ShortHash short_hash(const bt::InfoHash&);

/// What a node was granted a ticket for, for as long as the ticket lives: the right to announce
/// and to report. Pure.
class GrantTable {
 public:
  struct Grant {
    bt::InfoHash info_hash{};
    std::string registry;
    bool leech = false;
    std::string zone{};
    SteadyTime until;
  };

  explicit GrantTable(std::size_t max_grants) : max_(max_grants) {}

  /// Replaces an earlier one. Error (exhausted) "tracker_full".
  Status add(const std::string& node, Grant, SteadyTime now);
  std::optional<Grant> find(const std::string& node, const ShortHash&, SteadyTime now) const;
  void expire(SteadyTime now);
  std::size_t size() const { return grants_.size(); }

 private:
  static std::string key(const std::string& node, const ShortHash&);

  std::size_t max_;
  std::unordered_map<std::string, Grant> grants_;
};

}  // namespace convoy::tracker
