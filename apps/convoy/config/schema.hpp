#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/codec.hpp"
#include "config/fault.hpp"

// A configuration is declared once, as tables of keys bound to the members of a plain struct.
// Reading a file, every check, and the reference page all come from that declaration.
namespace convoy::config {

struct Key {
  std::string name;
  std::string type;
  std::string fallback;    ///< as it would be written; "" when there is none
  std::string constraint;  ///< "60s to 1h"
  std::string sentence;
  bool required = false;
  /// Reads the node into the object the table is bound to.
  std::function<std::optional<Problem>(const Node&, void*)> read;
};

/// Handed to a table's own check, which sees what no single key can.
class Check {
 public:
  Check(const Node& node, std::string path, Faults& faults)
      : node_(&node), path_(std::move(path)), faults_(&faults) {}
  /// Whether the file has this key, directly in the table.
  bool has(std::string_view key) const { return node_->find(key) != nullptr; }
  /// `key` may be "" for the table itself, or "tls.key_file".
  void fault(std::string_view key, std::string problem, std::string hint = {});

 private:
  const Node* node_;
  std::string path_;
  Faults* faults_;
};

struct Table {
  std::string name;  ///< last part of its path
  std::string sentence;
  bool list = false;  ///< [[name]], any number of times
  std::vector<Key> keys;
  std::vector<Table> tables;
  std::function<void*(void* parent)> enter;  ///< the member bound to it; a list gets a new entry
  std::function<void(const void*, Check&)> check;
};

/// Fills `target`, the struct that `root` is bound to, from TOML. Every fault is found, but
/// after a fault of TOML itself nothing else can be seen. `target` is fit for use only when
/// there is no fault.
Faults read_config(std::string_view text, const Table& root, void* target);

/// Refines the key just declared.
template <class C, class T>
class KeyRef {
 public:
  KeyRef(Key& key, T C::* member) : key_(&key), member_(member) {}

  KeyRef& required() {
    key_->required = true;
    key_->fallback.clear();
    return *this;
  }
  /// What the reference shows where the struct that holds the table sets another default.
  KeyRef& fallback(const T& value) {
    key_->fallback = Codec<T>::print(value);
    return *this;
  }
  KeyRef& between(T low, T high) {
    const std::string range = Codec<T>::print(low) + " to " + Codec<T>::print(high);
    return where(range, [low, high](const T& v) { return v >= low && v <= high; });
  }
  /// `text` completes "must be …".
  KeyRef& where(std::string text, std::function<bool(const T&)> holds) {
    key_->constraint = text;
    key_->read = [inner = key_->read, member = member_, text = std::move(text),
                  holds = std::move(holds)](const Node& n, void* c) -> std::optional<Problem> {
      if (auto problem = inner(n, c)) return problem;
      if (holds(static_cast<C*>(c)->*member)) return std::nullopt;
      return Problem{"must be " + text, ""};
    };
    return *this;
  }

 private:
  Key* key_;
  T C::* member_;
};

/// Declares a table bound to C. Defaults are those of a C{}.
template <class C>
class TableOf {
 public:
  TableOf(std::string name, std::string sentence) {
    table_.name = std::move(name);
    table_.sentence = std::move(sentence);
  }

  template <class T, class B>
    requires std::is_base_of_v<B, C>
  KeyRef<C, T> key(std::string name, T B::* member_of_base, std::string sentence) {
    T C::* member = member_of_base;
    Key key;
    key.name = std::move(name);
    key.type = Codec<T>::name();
    key.fallback = Codec<T>::print(C{}.*member);
    key.sentence = std::move(sentence);
    key.read = [member](const Node& node, void* c) -> std::optional<Problem> {
      Read<T> value = Codec<T>::read(node);
      if (auto* problem = std::get_if<Problem>(&value)) return std::move(*problem);
      static_cast<C*>(c)->*member = std::get<T>(std::move(value));
      return std::nullopt;
    };
    table_.keys.push_back(std::move(key));
    return KeyRef<C, T>(table_.keys.back(), member);
  }

  template <class S, class B>
    requires std::is_base_of_v<B, C>
  void table(S B::* member_of_base, TableOf<S> inner) {
    S C::* member = member_of_base;
    Table t = std::move(inner).build();
    t.enter = [member](void* c) -> void* { return &(static_cast<C*>(c)->*member); };
    table_.tables.push_back(std::move(t));
  }

  template <class S>
  void list(std::vector<S> C::* member, TableOf<S> inner) {
    Table t = std::move(inner).build();
    t.list = true;
    t.enter = [member](void* c) -> void* { return &(static_cast<C*>(c)->*member).emplace_back(); };
    table_.tables.push_back(std::move(t));
  }

  void check(std::function<void(const C&, Check&)> f) {
    table_.check = [f = std::move(f)](const void* c, Check& check) {
      f(*static_cast<const C*>(c), check);
    };
  }

  Table build() && { return std::move(table_); }

 private:
  Table table_;
};

}  // namespace convoy::config
