#include "wire/bt/bencode.hpp"

#include <charconv>
#include <optional>

namespace convoy::bt {
namespace {

constexpr std::size_t kMaxInput = 1024 * 1024;
constexpr std::size_t kMaxValues = 65'536;
constexpr unsigned kMaxDepth = 16;

void append(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

void encode_text(std::string_view text, Bytes& out) {
  append(out, std::to_string(text.size()));
  out.push_back(':');
  append(out, text);
}

void encode_to(const Bencode& value, Bytes& out) {
  if (const auto* number = value.integer()) {
    append(out, "i" + std::to_string(*number) + "e");
  } else if (const auto* text = value.text()) {
    encode_text(*text, out);
  } else if (const auto* list = value.list()) {
    out.push_back('l');
    for (const auto& element : *list) encode_to(element, out);
    out.push_back('e');
  } else if (const auto* dict = value.dict()) {
    out.push_back('d');
    for (const auto& [key, member] : *dict) {
      encode_text(key, out);
      encode_to(member, out);
    }
    out.push_back('e');
  }
}

class Decoder {
 public:
  explicit Decoder(std::string_view in) : rest_(in) {}

  bool done() const { return rest_.empty(); }

  Result<Bencode> value(unsigned depth) {
    if (rest_.empty()) return bad("truncated");
    if (depth > kMaxDepth) return bad("too deep");
    if (++values_ > kMaxValues) return bad("too many values");
    switch (rest_.front()) {
      case 'i':
        return integer();
      case 'l':
        return list(depth);
      case 'd':
        return dict(depth);
      default:
        break;
    }
    auto text = string();
    if (!text) return std::move(text).error();
    return Bencode{*std::move(text)};
  }

 private:
  static Error bad(std::string detail) { return invalid("bencode_invalid", std::move(detail)); }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// The one spelling of a number up to `end`, which is taken too.
  template <class T>
  std::optional<T> number(char end) {
    const auto at = rest_.find(end);
    if (at == std::string_view::npos || at == 0) return std::nullopt;
    const auto digits = rest_.substr(0, at);
    const auto magnitude = digits.starts_with('-') ? digits.substr(1) : digits;
    if (digits == "-0" || (magnitude.size() > 1 && magnitude.front() == '0')) return std::nullopt;
    T out = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
    rest_.remove_prefix(at + 1);
    return out;
  }

  Result<Bencode> integer() {
    take('i');
    const auto n = number<std::int64_t>('e');
    if (!n) return bad("integer");
    return Bencode{*n};
  }

  Result<std::string> string() {
    const auto size = number<std::size_t>(':');
    if (!size || *size > rest_.size()) return bad("string");
    std::string out(rest_.substr(0, *size));
    rest_.remove_prefix(*size);
    return out;
  }

  Result<Bencode> list(unsigned depth) {
    take('l');
    Bencode::List out;
    while (!take('e')) {
      auto element = value(depth + 1);
      if (!element) return element;
      out.push_back(*std::move(element));
    }
    return Bencode{std::move(out)};
  }

  Result<Bencode> dict(unsigned depth) {
    take('d');
    Bencode::Dict out;
    while (!take('e')) {
      auto key = string();
      if (!key) return std::move(key).error();
      if (!out.empty() && out.rbegin()->first >= *key) return bad("keys not sorted");
      auto member = value(depth + 1);
      if (!member) return member;
      out.emplace_hint(out.end(), *std::move(key), *std::move(member));
    }
    return Bencode{std::move(out)};
  }

  std::string_view rest_;
  std::size_t values_ = 0;
};

}  // namespace

const Bencode* Bencode::find(std::string_view key) const {
  const auto* members = dict();
  if (members == nullptr) return nullptr;
  const auto it = members->find(key);
  return it == members->end() ? nullptr : &it->second;
}

Bytes encode(const Bencode& value) {
  Bytes out;
  encode_to(value, out);
  return out;
}

Result<Bencode> decode_bencode(ByteView in) {
  if (in.size() > kMaxInput) return invalid("bencode_invalid", "too large");
  Decoder decoder(as_text(in));
  auto value = decoder.value(1);
  if (value && !decoder.done()) return invalid("bencode_invalid", "trailing bytes");
  return value;
}

}  // namespace convoy::bt
