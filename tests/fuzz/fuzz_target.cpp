#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "wire/http/message.hpp"

using namespace convoy;

namespace {

void check_target(std::string_view text) {
  const auto target = http::parse_target(text);
  if (!target) return;
  std::string path;
  for (const auto& segment : target->segments) {
    fuzz::check(!segment.empty() && segment != "." && segment != ".." &&
                segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos);
    path += "/" + http::percent_encode(segment);
  }
  if (target->trailing_slash) path += "/";
  if (path.size() > 8 * 1024) return;
  const auto again = http::parse_target(path);
  fuzz::check(again && again->segments == target->segments &&
              again->trailing_slash == target->trailing_slash);
}

void check_url(std::string_view text) {
  const auto url = http::parse_url(text);
  if (!url) return;
  fuzz::check(!url->host.empty() && url->port != 0 && url->target.starts_with('/'));
  fuzz::check(url->host.find_first_of("/@?#\\ ") == std::string::npos);
  const auto written = url->str();
  if (written.size() > 8 * 1024) return;
  const auto again = http::parse_url(written);
  fuzz::check(again && again->host == url->host && again->port == url->port &&
              again->tls == url->tls && again->target == url->target);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  check_target(text);
  check_url(text);
  return 0;
}
