#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Numbers with a unit, as people write them. A number without its unit is refused: 10 of what?
namespace convoy::config {

/// "250ms", "10s", "5m", "24h", "7d". Whole numbers; at most 3650d.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view);
/// The largest unit that divides it: "1h", "90s".
std::string print_duration(std::chrono::milliseconds);

/// "512B", "64KiB", "4MiB", "1GB": powers of 1024 with the i, of 1000 without. At most 2^62 B.
std::optional<std::uint64_t> parse_size(std::string_view);
std::string print_size(std::uint64_t);

/// "50MB/s", "400Mbit/s" (kbit, Mbit, Gbit; eight bits a byte), "unlimited" (0).
std::optional<std::uint64_t> parse_rate(std::string_view);
std::string print_rate(std::uint64_t);

}  // namespace convoy::config
