#include "fuzz/fuzz.hpp"
#include "wire/bt/bencode.hpp"

using namespace convoy;

// Only the canonical form is accepted, so it must come back byte for byte.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  if (const auto value = bt::decode_bencode(in)) fuzz::check(bt::encode(*value) == to_bytes(in));
  return 0;
}
