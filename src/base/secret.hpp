#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace convoy {

/// A password, token or key text. Prints as "***", is wiped when it dies, converts to
/// nothing by itself; `reveal()` marks each place where the text is really needed.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(Secret other) noexcept {
    text_.swap(other.text_);
    return *this;
  }
  ~Secret() { wipe(); }

  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  /// Constant-time for equal lengths.
  bool equals(std::string_view other) const {
    return constant_time_equal(as_bytes(text_), as_bytes(other));
  }

 private:
  void wipe() noexcept;
  std::string text_;
};

inline std::string_view format_as(const Secret&) { return "***"; }

}  // namespace convoy
