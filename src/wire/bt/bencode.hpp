#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace convoy::bt {

/// A bencoded value (BEP 3).
struct Bencode {
  using List = std::vector<Bencode>;
  using Dict = std::map<std::string, Bencode, std::less<>>;
  std::variant<std::int64_t, std::string, List, Dict> value;

  const Dict* dict() const { return std::get_if<Dict>(&value); }
  const List* list() const { return std::get_if<List>(&value); }
  const std::string* text() const { return std::get_if<std::string>(&value); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value); }
  /// A member of a dictionary; null when absent or this is none.
  const Bencode* find(std::string_view key) const;
};

Bytes encode(const Bencode&);
/// Canonical form only: sorted unique keys, no leading zeros, no trailing bytes; depth at
/// most 16, input at most 1 MiB, at most 65,536 values. Error code "bencode_invalid".
Result<Bencode> decode_bencode(ByteView);

}  // namespace convoy::bt
