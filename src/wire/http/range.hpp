#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::http {

/// A run of bytes inside a representation: [offset, offset + length).
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// RFC 9110 14.2 for one range over `size` bytes. No value when the header should be
/// ignored (other unit, malformed, several ranges: serve all with 200); Error
/// "range_unsatisfiable" for 416.
Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size);

/// "bytes 0-9/100"
std::string content_range(ByteRange, std::uint64_t size);

/// "bytes a-b/size" of a 206. Error code "content_range_invalid".
struct ContentRange {
  ByteRange range;
  std::uint64_t size = 0;
};
Result<ContentRange> parse_content_range(std::string_view);

/// The "a-b" (or "bytes=a-b") that an upload's Content-Range carries, inclusive.
/// Error code "content_range_invalid".
Result<ByteRange> parse_upload_range(std::string_view);

}  // namespace convoy::http
