#include "config/schema.hpp"

#include <algorithm>

namespace convoy::config {

namespace {

constexpr std::size_t kMaxTables = 1'000;

std::string join(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + "." + std::string(name);
}

class Reader {
 public:
  explicit Reader(Faults& faults) : faults_(faults) {}

  void read(const Table& table, const std::string& path, const Node& node, void* target) {
    const std::size_t before = faults_.size();
    report_unknown(table, path, node);
    for (const Key& key : table.keys) read_key(key, path, node, target);
    for (const Table& inner : table.tables) {
      if (inner.list) {
        read_list(inner, join(path, inner.name), node, target);
      } else {
        read_table(inner, join(path, inner.name), node, target);
      }
    }
    // A check of values that could not be read would only repeat what was said.
    if (!table.check || faults_.size() != before) return;
    Check check(node, path, faults_);
    table.check(target, check);
  }

 private:
  void read_key(const Key& key, const std::string& path, const Node& node, void* target) {
    const Node* value = node.find(key.name);
    if (value == nullptr) {
      if (key.required) add(node.line, join(path, key.name), "is missing", key.sentence);
      return;
    }
    if (auto problem = key.read(*value, target)) {
      add(value->line, join(path, key.name), std::move(problem->what), std::move(problem->hint));
    }
  }

  void read_table(const Table& table, const std::string& path, const Node& parent, void* target) {
    const Node* node = parent.find(table.name);
    if (node != nullptr && node->kind != Node::Kind::table) {
      add(node->line, path, "must be a table, not " + std::string(to_string(node->kind)),
          "Begin it with a line [" + path + "].");
      return;
    }
    Node absent;
    absent.line = parent.line;
    read(table, path, node != nullptr ? *node : absent, table.enter(target));
  }

  void read_list(const Table& table, const std::string& path, const Node& parent, void* target) {
    const Node* node = parent.find(table.name);
    if (node == nullptr) return;
    if (node->kind != Node::Kind::list) {
      add(node->line, path, "is a list of tables", "Begin each with a line [[" + path + "]].");
      return;
    }
    if (node->items.size() > kMaxTables) {
      add(node->line, path, "has more than 1000 entries", "");
      return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = node->items[i];
      const std::string item_path = path + "[" + std::to_string(i + 1) + "]";
      if (item.kind != Node::Kind::table) {
        add(item.line, item_path, "must be a table", "Begin each with a line [[" + path + "]].");
        continue;
      }
      read(table, item_path, item, table.enter(target));
    }
  }

  void report_unknown(const Table& table, const std::string& path, const Node& node) {
    std::vector<std::string> known;
    for (const Key& key : table.keys) known.push_back(key.name);
    for (const Table& inner : table.tables) known.push_back(inner.name);
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      const std::string& name = node.names[i];
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      add(node.items[i].line, join(path, printable(name)), "is not a key that exists",
          hint_for(name, known));
    }
  }

  static std::string printable(const std::string& name) {
    constexpr std::size_t kMost = 60;
    std::string out;
    for (const char c : name.substr(0, kMost)) out += (c >= ' ' && c != '\x7f') ? c : '?';
    return out;
  }

  static std::string hint_for(const std::string& name, const std::vector<std::string>& known) {
    const std::string by_file = name + "_file";
    if (std::find(known.begin(), known.end(), by_file) != known.end()) {
      return "It is given by a file: write " + by_file + " = \"/path/to/file\".";
    }
    for (const std::string_view role : {"registry", "tracker", "agent"}) {
      if (name == role)
        return "Each role has a file of its own: convoy " + name + " --config FILE.";
    }
    const std::string meant = nearest(name, known);
    if (!meant.empty()) return "Did you mean " + meant + "?";
    std::string list;
    for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
    return "Known here: " + list + ".";
  }

  void add(int line, std::string key, std::string problem, std::string hint) {
    faults_.push_back({line, std::move(key), std::move(problem), std::move(hint)});
  }

  Faults& faults_;
};

}  // namespace

void Check::fault(std::string_view key, std::string problem, std::string hint) {
  int line = node_->line;
  const Node* node = node_;
  std::string_view rest = key;
  while (!rest.empty() && node != nullptr) {
    const std::size_t dot = rest.find('.');
    node = node->find(rest.substr(0, dot));
    if (node != nullptr && node->line > 0) line = node->line;
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  const std::string path = key.empty() ? path_ : join(path_, key);
  faults_->push_back({line, path, std::move(problem), std::move(hint)});
}

Faults read_config(std::string_view text, const Table& root, void* target) {
  Faults faults;
  Node document;
  if (!parse_document(text, document, faults)) return faults;
  Reader(faults).read(root, "", document, target);
  return faults;
}

}  // namespace convoy::config
