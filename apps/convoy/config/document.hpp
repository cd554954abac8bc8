#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/fault.hpp"

namespace convoy::config {

/// A TOML value as plain data with the line it stands on.
struct Node {
  enum class Kind : std::uint8_t { table, list, text, integer, boolean, other };

  Kind kind = Kind::table;
  int line = 0;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<std::string> names;  ///< of a table, one for each of `items`
  std::vector<Node> items;         ///< of a table or a list

  const Node* find(std::string_view name) const;
};

/// "a table", "a list", "text", "a number" ...
std::string_view to_string(Node::Kind);

constexpr std::size_t kMaxConfigBytes = 256 * 1024;

/// Reads TOML 1.0. What it cannot read becomes one fault (a parser cannot go on after it).
/// Returns whether `root` was filled.
bool parse_document(std::string_view text, Node& root, Faults& faults);

}  // namespace convoy::config
