#include "crypto/sha256_blocks.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define CONVOY_SHA_NI __attribute__((target("sha,sse4.1")))

namespace convoy::crypto::detail {
namespace {

alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// The words as the instructions want them, the first letter in the highest lane.
struct Lane {
  __m128i abef, cdgh;
};

CONVOY_SHA_NI inline Lane load(const ShaWords& words) {
  const auto* at = reinterpret_cast<const __m128i*>(words.data());
  const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

CONVOY_SHA_NI inline void store(const Lane& lane, ShaWords& words) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
  auto* at = reinterpret_cast<__m128i*>(words.data());
  _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

CONVOY_SHA_NI inline __m128i big_endian(const std::uint8_t* at) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), order);
}

/// The next four words of the schedule from the last sixteen.
CONVOY_SHA_NI inline __m128i extend(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
  const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
  return _mm_sha256msg2_epu32(sum, w3);
}

CONVOY_SHA_NI inline void two_rounds(Lane& lane, __m128i words) {
  const __m128i next = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, words);
  lane.cdgh = lane.abef;
  lane.abef = next;
}

/// `Hashes` hashes of each of `Streams` streams, their rounds interleaved.
template <std::size_t Streams, std::size_t Hashes>
CONVOY_SHA_NI void compress(ShaWords* const* words, const std::uint8_t* const* data,
                            std::size_t blocks) {
  constexpr std::size_t kLanes = Streams * Hashes;
  Lane lanes[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = load(*words[l]);
  for (std::size_t block = 0; block < blocks; ++block) {
    Lane before[kLanes];
    __m128i w[Streams][4];
    for (std::size_t l = 0; l < kLanes; ++l) before[l] = lanes[l];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      __m128i sum[Streams];
      for (std::size_t s = 0; s < Streams; ++s) {
        auto& now = w[s][i % 4];
        if (i < 4) {
          now = big_endian(data[s] + block * kShaBlock + i * 16);
        } else {
          now = extend(now, w[s][(i + 1) % 4], w[s][(i + 2) % 4], w[s][(i + 3) % 4]);
        }
        const auto* k = reinterpret_cast<const __m128i*>(kRound + i * 4);
        sum[s] = _mm_add_epi32(now, _mm_load_si128(k));
      }
      for (std::size_t l = 0; l < kLanes; ++l) two_rounds(lanes[l], sum[l / Hashes]);
      for (std::size_t s = 0; s < Streams; ++s) sum[s] = _mm_shuffle_epi32(sum[s], 0x0e);
      for (std::size_t l = 0; l < kLanes; ++l) two_rounds(lanes[l], sum[l / Hashes]);
    }
    for (std::size_t l = 0; l < kLanes; ++l) {
      lanes[l].abef = _mm_add_epi32(lanes[l].abef, before[l].abef);
      lanes[l].cdgh = _mm_add_epi32(lanes[l].cdgh, before[l].cdgh);
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) store(lanes[l], *words[l]);
}

CONVOY_SHA_NI void one(ShaWords& a, const std::uint8_t* data, std::size_t blocks) {
  ShaWords* const words[] = {&a};
  compress<1, 1>(words, &data, blocks);
}

CONVOY_SHA_NI void same(ShaWords& a, ShaWords& b, const std::uint8_t* data, std::size_t blocks) {
  ShaWords* const words[] = {&a, &b};
  compress<1, 2>(words, &data, blocks);
}

CONVOY_SHA_NI void two(ShaWords& a, ShaWords& b, const std::uint8_t* data_a,
                       const std::uint8_t* data_b, std::size_t blocks) {
  ShaWords* const words[] = {&a, &b};
  const std::uint8_t* const data[] = {data_a, data_b};
  compress<2, 1>(words, data, blocks);
}

bool cpu_has_them() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

}  // namespace

const ShaBlocks* sha_ni_blocks() {
  static constexpr ShaBlocks kBlocks{one, same, two};
  static const bool has = cpu_has_them();
  return has ? &kBlocks : nullptr;
}

}  // namespace convoy::crypto::detail

#else

namespace convoy::crypto::detail {

const ShaBlocks* sha_ni_blocks() { return nullptr; }

}  // namespace convoy::crypto::detail

#endif
