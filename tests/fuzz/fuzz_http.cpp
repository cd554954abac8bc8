#include <algorithm>
#include <string>

#include "fuzz/fuzz.hpp"
#include "net/http_parser.hpp"
#include "net/http_text.hpp"

using namespace convoy;

namespace {

struct Decoded {
  std::string body;
  std::size_t used = 0;
  bool failed = false;
  bool done = false;
};

/// As a connection feeds it: what was not used stays in front of what comes next.
Decoded decode(std::string_view text, std::size_t in_step, std::size_t out_step) {
  net::ChunkDecoder decoder;
  Decoded out;
  Bytes room(out_step);
  std::size_t came = std::min(text.size(), in_step);
  while (!decoder.done()) {
    const auto held = text.substr(out.used, came - out.used);
    const auto progress = decoder.decode(as_bytes(held), room);
    if (!progress) {
      out.failed = true;
      return out;
    }
    fuzz::check(progress->consumed <= held.size() && progress->produced <= room.size());
    out.used += progress->consumed;
    out.body.append(as_text(ByteView(room).first(progress->produced)));
    if (progress->consumed > 0 || progress->produced > 0) continue;
    if (came == text.size()) break;
    came = std::min(text.size(), came + in_step);
  }
  out.done = decoder.done();
  return out;
}

void check_request(ByteView head) {
  const auto parsed = net::parse_request_head(head);
  if (!parsed) {
    fuzz::check(net::status_of(parsed.error()) >= 400);
    return;
  }
  const auto& headers = parsed->head.headers;
  fuzz::check(headers.all("Host").size() == 1 || !parsed->http11);
  fuzz::check(!headers.has("Content-Length") || !headers.has("Transfer-Encoding"));
  fuzz::check(parsed->head.target.size() <= net::kMaxTarget && !parsed->head.target.empty());
  fuzz::check(net::is_token(parsed->head.method) && net::check_headers(headers).ok());
}

}  // namespace

// The first two bytes choose the pieces; the rest is a head, and what follows it a chunked body.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t in_step = 1u + data[0] % 64u;
  const std::size_t out_step = 1u + data[1];
  const std::string_view text = fuzz::text(data + 2, size - 2);
  const std::size_t end = net::find_head_end(as_bytes(text)).value_or(0);
  if (end > 0) {
    check_request(as_bytes(text.substr(0, end)));
    static_cast<void>(net::parse_response_head(as_bytes(text.substr(0, end)), false));
  }
  const std::string_view body = text.substr(end);
  const Decoded whole = decode(body, body.size() + 1, 4096);
  const Decoded pieces = decode(body, in_step, out_step);
  fuzz::check(whole.failed == pieces.failed && whole.done == pieces.done);
  if (whole.done) fuzz::check(whole.body == pieces.body && whole.used == pieces.used);
  return 0;
}
