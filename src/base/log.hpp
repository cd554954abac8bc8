#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/clock.hpp"
#include "base/secret.hpp"

namespace convoy {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

/// One key and value of a log line. Text is escaped by the writer; a Secret prints "***".
struct LogField {
  std::string_view key;
  std::variant<std::string, std::int64_t, double, bool> value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const Secret&) : key(k), value(std::string("***")) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  LogField(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
};

using LogFields = std::initializer_list<LogField>;

/// Where finished lines go. Safe from any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// `line` is one JSON object with its newline.
  virtual void write(std::string_view line) = 0;
};

/// Writes each line to a file descriptor with one write(2). Does not own the descriptor.
class FdLogSink final : public LogSink {
 public:
  explicit FdLogSink(int fd) : fd_(fd) {}
  void write(std::string_view line) override;

 private:
  int fd_;
};

/// Structured logging, one JSON object a line: time, level, module, msg, the logger's own
/// fields (a request id, a peer), the line's fields. Cheap to copy; safe from any thread.
class Logger {
 public:
  Logger(std::shared_ptr<LogSink> sink, const Clock& clock, std::string module,
         LogLevel level = LogLevel::info);
  /// A logger that writes nothing.
  static Logger none();

  /// The same sink under another module name.
  Logger module(std::string name) const;
  /// The same logger with fields that stand on each of its lines.
  Logger with(LogFields) const;

  void debug(std::string_view msg, LogFields f = {}) const { write(LogLevel::debug, msg, f); }
  void info(std::string_view msg, LogFields f = {}) const { write(LogLevel::info, msg, f); }
  void warn(std::string_view msg, LogFields f = {}) const { write(LogLevel::warn, msg, f); }
  void error(std::string_view msg, LogFields f = {}) const { write(LogLevel::error, msg, f); }
  bool enabled(LogLevel level) const { return sink_ && level >= level_; }

 private:
  void write(LogLevel, std::string_view msg, LogFields) const;

  std::shared_ptr<LogSink> sink_;
  const Clock* clock_;
  std::string module_;
  std::string fields_;
  LogLevel level_;
};

/// Appends `text` as a JSON string with its quotes; control characters and invalid
/// UTF-8 come out escaped, so a line can never be forged.
void append_json_string(std::string& out, std::string_view text);

}  // namespace convoy
