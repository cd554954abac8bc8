#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace convoy::crypto {

/// SHA-256 (FIPS 180-4) of a stream of bytes. A value: a copy goes on by itself. One thread at a
/// time.
class Sha256 {
 public:
  /// The eight words between two blocks, most significant byte first.
  using Words = std::array<std::uint32_t, 8>;

  Sha256();
  /// Goes on behind `size` bytes, a multiple of 64, that left these words.
  Sha256(const Words&, std::uint64_t size);

  void update(ByteView);
  /// update() of both with the same bytes, at the cost of one where the CPU can. Cheap only while
  /// both are as far into their blocks of 64 bytes.
  static void update_both(Sha256&, Sha256&, ByteView);
  /// The hash of all bytes so far.
  Hash256 finish() const;

  std::uint64_t size() const { return size_; }
  /// Of the whole blocks so far.
  const Words& words() const { return words_; }

 private:
  std::size_t filled() const { return static_cast<std::size_t>(size_ % block_.size()); }
  ByteView top_up(ByteView);

  Words words_;
  std::uint64_t size_ = 0;
  std::array<std::uint8_t, 64> block_{};  // its first filled() bytes wait for more
};

/// The SHA-256 of two inputs of one length, at little more than the cost of one where the CPU can.
std::array<Hash256, 2> sha256_of_two(ByteView, ByteView);

}  // namespace convoy::crypto
