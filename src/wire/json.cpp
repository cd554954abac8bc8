#include "wire/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <limits>

#include "base/log.hpp"

namespace convoy::wire {
namespace {

namespace json = boost::json;
using Code = boost::system::error_code;

/// Builds the value as boost::json::parse does, refusing what the contract refuses, and counts
/// the members that were written so that those a later key overwrote can be noticed.
struct Handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value_stack stack;
  std::size_t members = 0;

  static bool no_nul(json::string_view s, Code& ec) {
    if (s.find('\0') == json::string_view::npos) return true;
    ec = json::error::syntax;
    return false;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t n, Code&) {
    members += n;
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t n, Code&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, Code& ec) {
    if (!no_nul(s, ec)) return false;
    stack.push_chars(s);
    return true;
  }
  bool on_key(json::string_view s, std::size_t, Code& ec) {
    if (!no_nul(s, ec)) return false;
    stack.push_key(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, Code& ec) {
    if (!no_nul(s, ec)) return false;
    stack.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, Code& ec) {
    if (!no_nul(s, ec)) return false;
    stack.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t i, json::string_view, Code&) {
    stack.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, json::string_view, Code&) {
    stack.push_uint64(u);
    return true;
  }
  bool on_double(double d, json::string_view, Code& ec) {
    if (!std::isfinite(d)) {
      ec = json::error::syntax;
      return false;
    }
    stack.push_double(d);
    return true;
  }
  bool on_bool(bool b, Code&) {
    stack.push_bool(b);
    return true;
  }
  bool on_null(Code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

std::size_t count_members(const json::value& v) {
  std::size_t n = 0;
  if (const auto* object = v.if_object()) {
    n = object->size();
    for (const auto& member : *object) n += count_members(member.value());
  } else if (const auto* array = v.if_array()) {
    for (const auto& element : *array) n += count_members(element);
  }
  return n;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) return invalid("json_invalid", "too large");
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<Handler> parser(options);
  parser.handler().stack.reset();
  Code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) return invalid("json_invalid", ec.message());
  if (used != text.size()) return invalid("json_invalid", "trailing bytes");
  auto value = parser.handler().stack.release();
  if (count_members(value) != parser.handler().members) {
    return invalid("json_invalid", "duplicate key");
  }
  return value;
}

Result<json::object> parse_json_object(std::string_view text, JsonLimits limits) {
  auto value = parse_json(text, limits);
  if (!value) return std::move(value).error();
  if (!value->is_object()) return invalid("json_invalid", "not an object");
  return std::move(value->get_object());
}

std::optional<std::string> json_string(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(std::string_view(value->get_string()));
}

std::optional<std::int64_t> json_int(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value->is_uint64() && value->get_uint64() <= kMax) {
    return static_cast<std::int64_t>(value->get_uint64());
  }
  return std::nullopt;
}

std::optional<bool> json_bool(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1) out += ',';
    append_json_string(out, text);
  }
  return out + ']';
}

}  // namespace convoy::wire
