#include "base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

namespace convoy {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    default:
      return "error";
  }
}

/// The length of the valid UTF-8 sequence at the start of `s`, or 0.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const auto tail = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xc0) == 0x80; };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return tail(1) ? 2 : 0;
  if (lead < 0xf0 && lead >= 0xe0) {
    if (!tail(1) || !tail(2)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

/// How many characters at the start of `s` stand in a JSON string as they are.
std::size_t plain_length(std::string_view s) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  return static_cast<std::size_t>(std::find_if_not(s.begin(), s.end(), plain) - s.begin());
}

void append_field(std::string& out, const LogField& field) {
  out += ',';
  append_json_string(out, field.key);
  out += ':';
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, std::string>) {
          append_json_string(out, v);
        } else {
          fmt::format_to(std::back_inserter(out), "{}", v);
        }
      },
      field.value);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (;;) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    const std::size_t n = utf8_length(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (n == 0) {
      out += "\\ufffd";
    } else {
      out += text.substr(0, n);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  out += '"';
}

void FdLogSink::write(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n = ::write(fd_, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody is left to tell
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

Logger::Logger(std::shared_ptr<LogSink> sink, const Clock& clock, std::string module,
               LogLevel level)
    : sink_(std::move(sink)), clock_(&clock), module_(std::move(module)), level_(level) {}

Logger Logger::none() {
  static const SystemClock clock;
  return Logger(nullptr, clock, "none", LogLevel::off);
}

Logger Logger::module(std::string name) const {
  Logger other = *this;
  other.module_ = std::move(name);
  return other;
}

Logger Logger::with(LogFields fields) const {
  Logger other = *this;
  for (const auto& field : fields) append_field(other.fields_, field);
  return other;
}

void Logger::write(LogLevel level, std::string_view msg, LogFields fields) const {
  if (!enabled(level)) return;
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","module":)",
                                 to_rfc3339(clock_->wall()), level_name(level));
  append_json_string(line, module_);
  line += R"(,"msg":)";
  append_json_string(line, msg);
  line += fields_;
  for (const auto& field : fields) append_field(line, field);
  line += "}\n";
  sink_->write(line);
}

}  // namespace convoy
