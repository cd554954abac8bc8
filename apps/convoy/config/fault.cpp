#include "config/fault.hpp"

#include <algorithm>

namespace convoy::config {

std::string to_text(const Faults& faults, std::string_view file) {
  std::vector<const Fault*> sorted;
  for (const Fault& fault : faults) sorted.push_back(&fault);
  // Those of one line stay in the order they were found in.
  std::sort(sorted.begin(), sorted.end(), [](const Fault* a, const Fault* b) {
    return a->line != b->line ? a->line < b->line : a < b;
  });
  std::string out;
  for (const Fault* fault : sorted) {
    out += file;
    if (fault->line > 0) out += ":" + std::to_string(fault->line);
    out += ": ";
    if (!fault->key.empty()) out += fault->key + ": ";
    out += fault->problem + "\n";
    if (!fault->hint.empty()) out += "    hint: " + fault->hint + "\n";
  }
  return out;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return {};
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace convoy::config
