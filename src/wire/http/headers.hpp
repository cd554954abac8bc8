#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::http {

/// Header fields in the order they came; names compare without case, a name may repeat
/// (dockerd sends one Accept line for each media type).
class Headers {
 public:
  void add(std::string name, std::string value);
  /// Replaces every field of that name.
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  bool has(std::string_view name) const;
  /// The first value, or nothing.
  std::optional<std::string_view> get(std::string_view name) const;
  /// The value if there is exactly one such field.
  std::optional<std::string_view> single(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

bool iequals(std::string_view, std::string_view);

}  // namespace convoy::http
