#include "wire/bt/zone.hpp"

#include <algorithm>

namespace convoy::bt {

Result<Zone> Zone::parse(std::string_view text) {
  const bool good = text.size() <= kMaxLength && std::all_of(text.begin(), text.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
                    });
  if (!good) return invalid("zone_invalid", "a zone is at most 63 of A-Z a-z 0-9 . - _");
  Zone out;
  out.text_ = text;
  return out;
}

}  // namespace convoy::bt
