#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

/// A SHA-256 value: a digest, a Merkle node, an info-hash, a thumbprint.
using Hash256 = std::array<std::uint8_t, 32>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

/// Lower-case hexadecimal.
std::string to_hex(ByteView);
/// Strict: even length, lower-case digits only.
std::optional<Bytes> from_hex(std::string_view);
std::optional<Hash256> hash256_from_hex(std::string_view);

/// RFC 4648 section 4, with padding.
std::string to_base64(ByteView);
/// Strict RFC 4648 section 4: padding required, no blanks, no stray bits.
std::optional<Bytes> from_base64(std::string_view);
/// RFC 4648 section 5, without padding, as JOSE wants it.
std::string to_base64url(ByteView);
/// Strict RFC 4648 section 5: no padding, no blanks, no stray bits.
std::optional<Bytes> from_base64url(std::string_view);

/// Whether both are equal, in time that depends on the lengths alone.
bool constant_time_equal(ByteView, ByteView);

}  // namespace convoy
