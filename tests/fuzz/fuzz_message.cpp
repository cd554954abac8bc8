#include "fuzz/fuzz.hpp"
#include "wire/bt/message.hpp"

using namespace convoy;

// What a peer sends: the handshake, then messages one after the other. A message that is
// understood must come back byte for byte.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView in(data, size);
  if (in.size() >= bt::kHandshakeSize) {
    if (const auto h = bt::decode_handshake(in.first(bt::kHandshakeSize))) {
      const auto again = bt::decode_handshake(bt::encode(*h));
      fuzz::check(again && again->info_hash == h->info_hash && again->v2 == h->v2);
      in = in.subspan(bt::kHandshakeSize);
    }
  }
  while (!in.empty()) {
    const auto decoded = bt::decode_message(in);
    if (!decoded || !decoded->message) break;
    fuzz::check(decoded->consumed > 0 && decoded->consumed <= in.size());
    if (!std::holds_alternative<bt::Unknown>(*decoded->message)) {
      Bytes again;
      bt::encode(*decoded->message, again);
      fuzz::check(again == to_bytes(in.first(decoded->consumed)));
    }
    in = in.subspan(decoded->consumed);
  }
  return 0;
}
