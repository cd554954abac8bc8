// OpenSSL 3 offers the compression function on its own only by its older calls.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256_blocks.hpp"

#include <algorithm>
#include <openssl/sha.h>

namespace convoy::crypto::detail {
namespace {

void one(ShaWords& words, const std::uint8_t* data, std::size_t blocks) {
  SHA256_CTX ctx{};
  SHA256_Init(&ctx);
  std::copy(words.begin(), words.end(), ctx.h);
  SHA256_Update(&ctx, data, blocks * kShaBlock);
  std::copy(ctx.h, ctx.h + words.size(), words.begin());
}

void same(ShaWords& a, ShaWords& b, const std::uint8_t* data, std::size_t blocks) {
  one(a, data, blocks);
  one(b, data, blocks);
}

void two(ShaWords& a, ShaWords& b, const std::uint8_t* data_a, const std::uint8_t* data_b,
         std::size_t blocks) {
  one(a, data_a, blocks);
  one(b, data_b, blocks);
}

}  // namespace

const ShaBlocks& openssl_blocks() {
  static constexpr ShaBlocks kBlocks{one, same, two};
  return kBlocks;
}

const ShaBlocks& sha_blocks() {
  static const ShaBlocks& best = sha_ni_blocks() != nullptr ? *sha_ni_blocks() : openssl_blocks();
  return best;
}

}  // namespace convoy::crypto::detail
