#include "config/quantity.hpp"

#include <array>
#include <span>

namespace convoy::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kLimit = 1ULL << 62;

constexpr std::array kDurations = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1},
};
constexpr std::uint64_t kLongest = 3650ULL * 86'400'000;

constexpr std::array kSizes = {
    Unit{"TiB", 1ULL << 40},
    Unit{"GiB", 1ULL << 30},
    Unit{"MiB", 1ULL << 20},
    Unit{"KiB", 1ULL << 10},
    Unit{"TB", 1'000'000'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"MB", 1'000'000},
    Unit{"KB", 1'000},
    Unit{"kB", 1'000},
    Unit{"B", 1},
};

constexpr std::array kBitRates = {
    Unit{"Gbit/s", 125'000'000},
    Unit{"Mbit/s", 125'000},
    Unit{"kbit/s", 125},
};

std::optional<std::uint64_t> parse_unit(std::string_view text, std::span<const Unit> units,
                                        std::uint64_t limit) {
  std::size_t digits = 0;
  std::uint64_t number = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == 18) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text[digits] - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  const std::string_view name = text.substr(digits);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > limit / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string print_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value >= unit.factor && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse_unit(text, kDurations, kLongest);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::string print_duration(std::chrono::milliseconds value) {
  if (value.count() <= 0) return "0s";
  return print_unit(static_cast<std::uint64_t>(value.count()), kDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_unit(text, kSizes, kLimit);
}

std::string print_size(std::uint64_t value) { return print_unit(value, kSizes); }

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  if (text == "unlimited") return 0;
  std::optional<std::uint64_t> value = parse_unit(text, kBitRates, kLimit);
  if (!value && text.ends_with("/s")) value = parse_size(text.substr(0, text.size() - 2));
  if (!value || *value == 0) return std::nullopt;
  return value;
}

std::string print_rate(std::uint64_t value) {
  return value == 0 ? "unlimited" : print_size(value) + "/s";
}

}  // namespace convoy::config
