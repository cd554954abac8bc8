#include "cli/text_table.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace convoy::cli {

namespace {

std::string clean(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') ? c : '?';
  }
  return out;
}

}  // namespace

std::string text_table(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows) {
  const std::size_t columns = headings.size();
  std::vector<bool> right(columns);
  std::vector<std::vector<std::string>> lines(1);
  for (std::size_t c = 0; c < columns; ++c) {
    right[c] = headings[c].starts_with('>');
    lines[0].push_back(headings[c].substr(right[c] ? 1 : 0));
  }
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) line.push_back(c < row.size() ? clean(row[c]) : "");
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t c = 0; c < columns; ++c) {
      std::size_t width = 0;
      for (const auto& other : lines) width = std::max(width, other[c].size());
      const std::string pad(width - line[c].size(), ' ');
      if (c > 0) text += "  ";
      text += right[c] ? pad + line[c] : line[c] + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string human_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace convoy::cli
