#include "config/document.hpp"

#include <algorithm>
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

/// Looks at a text before toml++ does, for what that library cannot bear: endless dotted keys, and
/// characters beyond ASCII where it would ask whether they are blanks (outside of quotes and
/// comments, and in strings of several lines, which no key here could take anyway).
class Guard {
 public:
  explicit Guard(std::string_view text) : text_(text) {}

  std::optional<Fault> inspect() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '"' || c == '\'') {
        if (text_.substr(at_, 3) == std::string(3, c)) {
          return fault("begins a text of several lines", "Write it on one line.");
        }
        skip_text(c);
        continue;
      }
      if (static_cast<unsigned char>(c) >= 0x80) {
        return fault("has a character beyond ASCII outside of quotes",
                     "Such characters may stand in quotes and comments.");
      }
      if (c == '.' && ++dots_ > kMaxDots) return fault("has a key with more than 64 dots", "");
      if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) dots_ = 0;
      if (c == '\n') ++line_;
      ++at_;
    }
    return std::nullopt;
  }

 private:
  /// To behind the closing quote, or to the end of the line when there is none.
  void skip_text(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return;
      }
      const bool escape = quote == '"' && text_[at_] == '\\';
      if (escape && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
  }

  Fault fault(std::string problem, std::string hint) const {
    return {line_, "", std::move(problem), std::move(hint)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
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
  if (std::optional<Fault> fault = Guard(text).inspect()) {
    faults.push_back(std::move(*fault));
    return false;
  }
  constexpr std::string_view kHint = "Text values need quotes: listen = \"127.0.0.1:5000\".";
  try {
    root = convert(toml::parse(text));
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
