#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace convoy {

/// A source of randomness. SystemRandom is fit for keys; a seeded one is for tests
/// and simulation. Not safe for use by two threads unless the implementation says so.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableByteView) = 0;

  std::uint64_t next();
  /// Uniform in [0, n). n must not be 0.
  std::uint64_t below(std::uint64_t n);
  /// `n` random bytes in hexadecimal: 2n characters.
  std::string hex(std::size_t n);
};

/// getrandom(2). Safe from any thread.
class SystemRandom final : public Random {
 public:
  void fill(MutableByteView) override;
};

/// Deterministic (SplitMix64): the same seed gives the same bytes everywhere. Never for keys.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableByteView) override;

 private:
  std::uint64_t state_;
};

}  // namespace convoy
