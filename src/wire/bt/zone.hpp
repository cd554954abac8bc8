#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::bt {

/// The label of a topology zone: a site, a rack, whatever has thin links to the rest. At most 63
/// characters A-Z, a-z, 0-9, '.', '-' and '_'. The empty one is the common zone, of all who name
/// none. It says which way bytes should go and gives no right whatever.
class Zone {
 public:
  static constexpr std::size_t kMaxLength = 63;

  Zone() = default;
  /// Error (invalid) "zone_invalid".
  static Result<Zone> parse(std::string_view text);

  const std::string& str() const { return text_; }
  bool common() const { return text_.empty(); }
  bool operator==(const Zone&) const = default;

 private:
  std::string text_;
};

}  // namespace convoy::bt
