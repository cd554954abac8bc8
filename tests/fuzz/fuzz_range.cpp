#include <cstring>

#include "fuzz/fuzz.hpp"
#include "wire/http/range.hpp"

using namespace convoy;

// The first eight bytes are the size of the representation.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t length = 0;
  std::memcpy(&length, data, 8);
  const auto text = fuzz::text(data + 8, size - 8);
  if (const auto range = http::parse_range(text, length); range && range->has_value()) {
    fuzz::check((*range)->length > 0 && (*range)->offset < length &&
                (*range)->length <= length - (*range)->offset);
    const auto again = http::parse_content_range(http::content_range(**range, length));
    fuzz::check(length == UINT64_MAX || (again && again->range == **range));
  }
  if (const auto range = http::parse_content_range(text)) {
    fuzz::check(range->range.length > 0 && range->range.offset < range->size &&
                range->range.length <= range->size - range->range.offset);
  }
  if (const auto range = http::parse_upload_range(text)) {
    fuzz::check(range->length > 0 && range->offset + range->length > range->offset);
  }
  return 0;
}
