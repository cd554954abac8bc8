#include "base/bytes.hpp"

#include <algorithm>

namespace convoy {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::optional<std::uint8_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

std::string encode64(ByteView in, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? in[i + k] : 0u);
    for (std::size_t k = 0; k <= n; ++k) out += alphabet[group >> (18 - 6 * k) & 63];
    if (pad) out.append(3 - n, '=');
  }
  return out;
}

std::optional<Bytes> decode64(std::string_view in, std::string_view alphabet) {
  if (in.size() % 4 == 1) return std::nullopt;
  Bytes out;
  out.reserve(in.size() * 3 / 4);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (char c : in) {
    const auto at = alphabet.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    group = (group << 6 | static_cast<std::uint32_t>(at)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(group >> bits));
    }
  }
  // Bits left over that are not zero would let one value have several spellings.
  if ((group & ((1u << bits) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string to_hex(ByteView in) {
  std::string out(in.size() * 2, '0');
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[2 * i] = kHex[in[i] >> 4];
    out[2 * i + 1] = kHex[in[i] & 15];
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view in) {
  if (in.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(in.size() / 2);
  for (std::size_t i = 0; i < in.size(); i += 2) {
    const auto high = hex_digit(in[i]);
    const auto low = hex_digit(in[i + 1]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
  }
  return out;
}

std::optional<Hash256> hash256_from_hex(std::string_view in) {
  const auto bytes = from_hex(in);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  Hash256 out;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

std::string to_base64(ByteView in) { return encode64(in, kBase64, true); }
std::string to_base64url(ByteView in) { return encode64(in, kBase64Url, false); }

std::optional<Bytes> from_base64(std::string_view in) {
  if (in.size() % 4 != 0) return std::nullopt;
  if (in.ends_with("==")) {
    in.remove_suffix(2);
  } else if (in.ends_with("=")) {
    in.remove_suffix(1);
  }
  return decode64(in, kBase64);
}

std::optional<Bytes> from_base64url(std::string_view in) { return decode64(in, kBase64Url); }

bool constant_time_equal(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  unsigned diff = 0;
  for (std::size_t i = 0; i < a.size(); ++i) diff |= static_cast<unsigned>(a[i] ^ b[i]);
  return diff == 0;
}

}  // namespace convoy
