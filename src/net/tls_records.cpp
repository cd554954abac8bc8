#include "net/tls_records.hpp"

#include <algorithm>

namespace convoy::net::tls {
namespace {

constexpr std::size_t kHeader = 5;

}  // namespace

std::size_t RecordTrack::feed(ByteView bytes) {
  std::size_t records = 0;
  while (!bytes.empty()) {
    if (header_ == 0 && body_ > 0) {
      const std::size_t n = std::min(body_, bytes.size());
      body_ -= n;
      bytes = bytes.subspan(n);
      continue;
    }
    // The length is in the last two bytes of a header.
    body_ = (body_ << 8 | bytes[0]) & 0xffff;
    bytes = bytes.subspan(1);
    header_ = header_ + 1 == kHeader ? 0 : header_ + 1;
    if (header_ == 0) ++records;
  }
  return records;
}

}  // namespace convoy::net::tls
