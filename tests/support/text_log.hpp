#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/log.hpp"

namespace convoy::test {

/// Keeps every log line.
class TextLog final : public LogSink {
 public:
  void write(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    text_ += line;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace convoy::test
