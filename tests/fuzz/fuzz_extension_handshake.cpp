#include "fuzz/fuzz.hpp"
#include "wire/bt/message.hpp"

using namespace convoy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto h = bt::decode_extension_handshake({data, size});
  if (!h) return 0;
  const auto again = bt::decode_extension_handshake(bt::encode(*h));
  fuzz::check(again && again->ids == h->ids && again->ticket == h->ticket &&
              again->client == h->client && again->request_id == h->request_id &&
              again->max_requests == h->max_requests);
  return 0;
}
