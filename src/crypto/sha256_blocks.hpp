#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The compression function of SHA-256 (FIPS 180-4, 6.2.2) over whole 64-byte blocks, for the
// sources of crypto alone.
namespace convoy::crypto::detail {

inline constexpr std::size_t kShaBlock = 64;

/// The words H0 to H7 between two blocks.
using ShaWords = std::array<std::uint32_t, 8>;
inline constexpr ShaWords kShaStart{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// One way to compress. One stream is bound by the latency of the rounds, so two hashes at once
/// cost little more than one. Safe from any thread.
struct ShaBlocks {
  void (*one)(ShaWords&, const std::uint8_t* data, std::size_t blocks);
  /// Two hashes of the same bytes; the message schedule is computed once.
  void (*same)(ShaWords&, ShaWords&, const std::uint8_t* data, std::size_t blocks);
  /// Two hashes of as many blocks each.
  void (*two)(ShaWords&, ShaWords&, const std::uint8_t*, const std::uint8_t*, std::size_t blocks);
};

/// With the SHA instructions of x86; null where the CPU has none.
const ShaBlocks* sha_ni_blocks();
/// OpenSSL's code for this CPU, one hash after the other.
const ShaBlocks& openssl_blocks();
/// The faster of the two.
const ShaBlocks& sha_blocks();

}  // namespace convoy::crypto::detail
