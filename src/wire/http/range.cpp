#include "wire/http/range.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "wire/http/headers.hpp"

namespace convoy::http {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Digits only; what does not fit becomes the largest value, which lies past every end.
std::optional<std::uint64_t> saturating(std::string_view text) {
  if (!all_digits(text)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc::result_out_of_range ? kMax : value;
}

/// Digits only; what does not fit is refused.
std::optional<std::uint64_t> exact(std::string_view text) {
  const auto value = saturating(text);
  return value == kMax ? std::nullopt : value;
}

/// "a-b", both written, a <= b.
std::optional<ByteRange> inclusive(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = exact(text.substr(0, dash));
  const auto last = exact(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return ByteRange{*first, *last - *first + 1};
}

bool take_unit(std::string_view& text, char separator) {
  constexpr std::string_view kUnit = "bytes";
  if (text.size() <= kUnit.size() || !iequals(text.substr(0, kUnit.size()), kUnit) ||
      text[kUnit.size()] != separator) {
    return false;
  }
  text.remove_prefix(kUnit.size() + 1);
  return true;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  using Answer = std::optional<ByteRange>;
  const Answer ignore;
  const auto unsatisfiable = [] { return invalid("range_unsatisfiable"); };
  if (!take_unit(header, '=')) return ignore;
  header = trim(header);
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return ignore;
  const auto first_text = header.substr(0, dash);
  const auto last_text = header.substr(dash + 1);
  if (first_text.empty()) {
    const auto suffix = saturating(last_text);
    if (!suffix) return ignore;
    if (*suffix == 0) return unsatisfiable();
    if (size == 0) return ignore;
    const auto length = std::min(*suffix, size);
    return Answer(ByteRange{size - length, length});
  }
  const auto first = saturating(first_text);
  const auto last = last_text.empty() ? kMax : saturating(last_text);
  if (!first || !last) return ignore;
  // A range written backwards could be ignored as well; the distribution-spec's conformance
  // suite wants 416.
  if (*first > *last || *first >= size) return unsatisfiable();
  return Answer(ByteRange{*first, std::min(*last, size - 1) - *first + 1});
}

std::string content_range(ByteRange range, std::uint64_t size) {
  return "bytes " + std::to_string(range.offset) + "-" +
         std::to_string(range.offset + range.length - 1) + "/" + std::to_string(size);
}

Result<ContentRange> parse_content_range(std::string_view text) {
  if (!take_unit(text, ' ')) return invalid("content_range_invalid", "unit");
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return invalid("content_range_invalid", "no size");
  const auto range = inclusive(text.substr(0, slash));
  const auto size = exact(text.substr(slash + 1));
  if (!range || !size || range->offset + range->length > *size) {
    return invalid("content_range_invalid", "range");
  }
  return ContentRange{*range, *size};
}

Result<ByteRange> parse_upload_range(std::string_view text) {
  take_unit(text, '=');
  const auto range = inclusive(text);
  if (!range) return invalid("content_range_invalid", "not first-last");
  return *range;
}

}  // namespace convoy::http
