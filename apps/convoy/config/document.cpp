#include "config/document.hpp"

#include <algorithm>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace convoy::config {

const Node* Node::find(std::string_view name) const {
  for (const auto& [key, node] : members) {
    if (key == name) return &node;
  }
  return nullptr;
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

// The parser recurses through keys with dots when it destroys what it read, without a limit of
// its own; brackets it limits itself.
constexpr int kMaxDots = 64;

int line_of_too_many_dots(std::string_view text) {
  int line = 1;
  int dots = 0;
  for (const char c : text) {
    if (c == '.') {
      if (++dots > kMaxDots) return line;
    } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
      dots = 0;
      if (c == '\n') ++line;
    }
  }
  return 0;
}

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
      to.members.emplace_back(std::string(key.str()), std::move(member));
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
  if (const int line = line_of_too_many_dots(text); line > 0) {
    faults.push_back({line, "", "has a key or a value with more than 64 dots", ""});
    return false;
  }
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    faults.push_back({static_cast<int>(error.source().begin.line), "",
                      "is not valid TOML: " + std::string(error.description()),
                      "Text values need quotes: listen = \"127.0.0.1:5000\"."});
    return false;
  }
  root = convert(parsed.table());
  return true;
}

}  // namespace convoy::config
