#include "crypto/sha256.hpp"

#include <algorithm>

#include "crypto/ossl.hpp"
#include "crypto/sha256_blocks.hpp"

namespace convoy::crypto {
namespace {

using detail::kShaBlock;
using detail::sha_blocks;

constexpr std::size_t kLength = 8;  // of the message, in bits, at the end of the last block

Hash256 to_hash(const Sha256::Words& words) {
  Hash256 out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(words[i / 4] >> (24 - i % 4 * 8));
  }
  return out;
}

/// What follows the whole blocks of a message: its last bytes, padded (FIPS 180-4, 5.1.1).
struct Tail {
  std::array<std::uint8_t, 2 * kShaBlock> bytes{};
  std::size_t blocks = 1;

  Tail(ByteView rest, std::uint64_t message_size) {
    std::copy(rest.begin(), rest.end(), bytes.begin());
    bytes[rest.size()] = 0x80;
    if (rest.size() + 1 + kLength > kShaBlock) blocks = 2;
    const std::uint64_t bits = message_size * 8;
    for (std::size_t i = 0; i < kLength; ++i) {
      bytes[blocks * kShaBlock - 1 - i] = static_cast<std::uint8_t>(bits >> (i * 8));
    }
  }
};

}  // namespace

Sha256::Sha256() : words_(detail::kShaStart) {}

Sha256::Sha256(const Words& words, std::uint64_t size) : words_(words), size_(size) {
  detail::must(filled() == 0);
}

/// Fills the block under way, and is done with it when it is full; returns the rest of `data`.
ByteView Sha256::top_up(ByteView data) {
  const std::size_t n = std::min(data.size(), kShaBlock - filled());
  std::copy_n(data.begin(), n, block_.begin() + static_cast<std::ptrdiff_t>(filled()));
  size_ += n;
  if (filled() == 0) sha_blocks().one(words_, block_.data(), 1);
  return data.subspan(n);
}

void Sha256::update(ByteView data) {
  if (filled() != 0) data = top_up(data);
  const std::size_t blocks = data.size() / kShaBlock;
  if (blocks != 0) {
    sha_blocks().one(words_, data.data(), blocks);
    size_ += blocks * kShaBlock;
    data = data.subspan(blocks * kShaBlock);
  }
  if (!data.empty()) top_up(data);
}

void Sha256::update_both(Sha256& a, Sha256& b, ByteView data) {
  if (a.filled() != b.filled()) {
    a.update(data);
    b.update(data);
    return;
  }
  if (a.filled() != 0) {
    b.top_up(data);
    data = a.top_up(data);
  }
  const std::size_t blocks = data.size() / kShaBlock;
  if (blocks != 0) {
    sha_blocks().same(a.words_, b.words_, data.data(), blocks);
    a.size_ += blocks * kShaBlock;
    b.size_ += blocks * kShaBlock;
    data = data.subspan(blocks * kShaBlock);
  }
  if (!data.empty()) {
    a.top_up(data);
    b.top_up(data);
  }
}

Hash256 Sha256::finish() const {
  const Tail tail(ByteView(block_).first(filled()), size_);
  Words words = words_;
  sha_blocks().one(words, tail.bytes.data(), tail.blocks);
  return to_hash(words);
}

std::array<Hash256, 2> sha256_of_two(ByteView a, ByteView b) {
  detail::must(a.size() == b.size());
  const std::size_t blocks = a.size() / kShaBlock;
  Sha256::Words words_a = detail::kShaStart;
  Sha256::Words words_b = detail::kShaStart;
  sha_blocks().two(words_a, words_b, a.data(), b.data(), blocks);
  const Tail tail_a(a.subspan(blocks * kShaBlock), a.size());
  const Tail tail_b(b.subspan(blocks * kShaBlock), b.size());
  sha_blocks().two(words_a, words_b, tail_a.bytes.data(), tail_b.bytes.data(), tail_a.blocks);
  return {to_hash(words_a), to_hash(words_b)};
}

}  // namespace convoy::crypto
