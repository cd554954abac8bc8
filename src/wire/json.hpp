#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace convoy::wire {

struct JsonLimits {
  std::size_t max_bytes = 4 * 1024 * 1024;
  std::size_t max_depth = 32;
};

/// Parses outside JSON: size and depth limited, duplicate keys, trailing bytes, infinities
/// and NUL in strings refused. Error code "json_invalid". (Boost.JSON alone keeps the last
/// of two equal keys, which two readers may read differently.)
Result<boost::json::value> parse_json(std::string_view text, JsonLimits limits = {});
/// The same, and the value must be an object.
Result<boost::json::object> parse_json_object(std::string_view text, JsonLimits limits = {});

// Members of an object by type; nothing when absent or of another type.
std::optional<std::string> json_string(const boost::json::object&, std::string_view key);
std::optional<std::int64_t> json_int(const boost::json::object&, std::string_view key);
std::optional<bool> json_bool(const boost::json::object&, std::string_view key);

/// An array of strings, as text.
std::string json_list(const std::vector<std::string>& texts);

}  // namespace convoy::wire
