#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/random.h>

namespace convoy {

std::uint64_t Random::next() {
  std::array<std::uint8_t, 8> raw{};
  fill(raw);
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), raw.size());
  return value;
}

std::uint64_t Random::below(std::uint64_t n) {
  // Values under `rest` would make the low remainders more likely.
  const std::uint64_t rest = (0 - n) % n;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= rest) return value % n;
  }
}

std::string Random::hex(std::size_t n) {
  Bytes raw(n);
  fill(raw);
  return to_hex(raw);
}

void SystemRandom::fill(MutableByteView out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::getrandom(out.data() + done, out.size() - done, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      __builtin_trap();  // without randomness no key may be made
    }
    done += static_cast<std::size_t>(n);
  }
}

void SeededRandom::fill(MutableByteView out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    std::memcpy(out.data() + i, &z, std::min<std::size_t>(8, out.size() - i));
  }
}

}  // namespace convoy
