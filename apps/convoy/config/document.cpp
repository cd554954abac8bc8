#include "config/document.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <utility>

// Some mistakes ("[=") toml++ 3.3 finds by an assertion alone, which ends the process or, in a
// release build, lets the compiler assume that they cannot be. In this file an assertion throws.
namespace {
struct BrokenAssumption {};
}  // namespace
#undef NDEBUG
#define TOML_ASSERT(expr) (static_cast<bool>(expr) ? void() : throw BrokenAssumption{})
#define TOML_EXCEPTIONS 1
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace convoy::config {

const Node* Node::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::string_view to_string(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::table:
      return "a table";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::text:
      return "text";
    case Node::Kind::integer:
      return "a whole number";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::other:
      break;
  }
  return "a fraction or a date";
}

namespace {

// toml++ recurses through keys with dots when it destroys what it read, without a limit of its own;
// brackets it limits itself.
constexpr int kMaxDots = 64;

/// The code point at the front of `text`, which it takes off; nothing when it is not UTF-8.
std::optional<std::uint32_t> take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return std::nullopt;
  std::uint32_t code = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    return std::nullopt;
  }
  text.remove_prefix(length);
  return code;
}

/// Makes a text that toml++ can bear, with the same lines and the same meaning: without endless
/// dotted keys, and of ASCII alone, since beyond it that library runs into code it holds to be
/// unreachable. In double quotes such a character becomes an escape, in comments it is left out;
/// anywhere else it is a fault, as are strings of several lines, which no key here could take.
class Guard {
 public:
  explicit Guard(std::string_view text) : left_(text) {}

  std::optional<Fault> inspect() {
    while (!left_.empty() && !fault_) {
      const char c = left_.front();
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        take_string(c);
      } else if (beyond_ascii()) {
        fail("has a character beyond ASCII outside of quotes",
             "Such characters may stand in double quotes and comments.");
      } else {
        if (c == '.' && ++dots_ > kMaxDots) fail("has a key with more than 64 dots", "");
        if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) dots_ = 0;
        if (c == '\n') ++line_;
        copy();
      }
    }
    return fault_;
  }

  const std::string& ascii() const { return out_; }

 private:
  bool beyond_ascii() const { return static_cast<std::uint8_t>(left_.front()) >= 0x80; }
  void copy() {
    out_ += left_.front();
    left_.remove_prefix(1);
  }
  void fail(std::string problem, std::string hint) {
    fault_ = Fault{line_, "", std::move(problem), std::move(hint)};
  }

  void skip_comment() {
    while (!left_.empty() && left_.front() != '\n') {
      if (beyond_ascii()) {
        left_.remove_prefix(1);
      } else {
        copy();
      }
    }
  }

  /// To behind the closing quote, or to the end of the line when there is none.
  void take_string(char quote) {
    if (left_.substr(0, 3) == std::string(3, quote)) {
      return fail("begins a text of several lines", "Write it on one line.");
    }
    copy();
    while (!left_.empty() && left_.front() != '\n' && !fault_) {
      if (beyond_ascii()) {
        take_letter(quote);
        continue;
      }
      const char c = left_.front();
      copy();
      if (c == quote) return;
      if (quote == '"' && c == '\\' && !left_.empty() && left_.front() != '\n') take_escaped();
    }
  }

  void take_escaped() {
    if (beyond_ascii()) return fail("has an escape that does not exist", "A backslash is \\\\.");
    copy();
  }

  void take_letter(char quote) {
    if (quote != '"') {
      return fail("has a character beyond ASCII in single quotes", "Use double quotes.");
    }
    const auto code = take_code_point(left_);
    if (!code) return fail("is not UTF-8", "Save it as UTF-8 text.");
    out_ += fmt::format("\\U{:08X}", *code);
  }

  std::string_view left_;
  std::string out_;
  std::optional<Fault> fault_;
  int line_ = 1;
  int dots_ = 0;
};

Node convert(const toml::node& from) {
  Node to;
  to.line = static_cast<int>(from.source().begin.line);
  if (const auto* table = from.as_table()) {
    to.kind = Node::Kind::table;
    for (const auto& [key, value] : *table) {
      Node member = convert(value);
      if (member.kind == Node::Kind::table && member.line == 0) {
        member.line = static_cast<int>(key.source().begin.line);
      }
      to.names.emplace_back(key.str());
      to.items.push_back(std::move(member));
    }
  } else if (const auto* list = from.as_array()) {
    to.kind = Node::Kind::list;
    for (const toml::node& item : *list) to.items.push_back(convert(item));
  } else if (const auto* text = from.as_string()) {
    to.kind = Node::Kind::text;
    to.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = Node::Kind::integer;
    to.integer = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    to.kind = Node::Kind::boolean;
    to.boolean = boolean->get();
  } else {
    to.kind = Node::Kind::other;
  }
  return to;
}

}  // namespace

bool parse_document(std::string_view text, Node& root, Faults& faults) {
  if (text.size() > kMaxConfigBytes) {
    faults.push_back({0, "", "is larger than 256KiB", "A configuration this large is a mistake."});
    return false;
  }
  if (text.find('\0') != std::string_view::npos) {
    faults.push_back({0, "", "holds a NUL byte", "Save it as UTF-8 text."});
    return false;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Guard guard(text);
  if (std::optional<Fault> fault = guard.inspect()) {
    faults.push_back(std::move(*fault));
    return false;
  }
  constexpr std::string_view kHint = "Text values need quotes: listen = \"127.0.0.1:5000\".";
  try {
    root = convert(toml::parse(guard.ascii()));
    return true;
  } catch (const toml::parse_error& error) {
    faults.push_back({static_cast<int>(error.source().begin.line), "",
                      "is not valid TOML: " + std::string(error.description()),
                      std::string(kHint)});
  } catch (const BrokenAssumption&) {
    faults.push_back({0, "", "is not valid TOML", std::string(kHint)});
  }
  return false;
}

}  // namespace convoy::config
