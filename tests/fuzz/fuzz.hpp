#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace convoy::fuzz {

/// A property that must hold for every input; the fuzzer keeps the input that breaks it.
inline void check(bool property) {
  if (!property) __builtin_trap();
}

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : as_text({data, size});
}

}  // namespace convoy::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
