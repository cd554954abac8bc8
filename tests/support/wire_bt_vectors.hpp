#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "wire/bt/merkle.hpp"
#include "wire/bt/metadata.hpp"

// Values that libtorrent 2.0.8 computes for the same bytes, certificate text and piece length.
namespace convoy::bt::test {

struct Vector {
  std::size_t size;
  std::uint32_t piece_length;
  std::size_t pieces;
  std::string_view digest, root, first_piece, last_piece, info_hash;
};

inline constexpr std::string_view kPem =
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

inline constexpr Vector kVectors[] = {
    {1, 16384, 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
     "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
     "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
     "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
     "686c278873d9d914350012256dbdf6121d02fe2b060d59f424889590b08b9d32"},
    {16384, 16384, 1, "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "2a2f69e542fdf4a07ab3bc7b40868a2722eb5a2bb069ddaf85557ffadd132750"},
    {16385, 16384, 2, "c6e2a604165ace2031492c0e04ec6944c79bf10ba5d8dd94cd807067482c569c",
     "4f06ab5d81301a6be8740291d8491edb35843daecf491a50c4d22d92eaf9acbc",
     "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd",
     "c1554e57904318a6d49196d5a33da3a7ad612b39f3e4b0b3954f8230bc6c8bfc"},
    {50000, 16384, 4, "0b54f24ba1473a799ed97c2c26562ee36784e04a6fe8458d3c0d061fa64d3503",
     "8c818dded825a0577503d527522e83f824ce2e63d418ce70b76feb36b5c9ea13",
     "15345b8bcf83c9acd70121ebacc0aae2b90b2995b90a5143382a4f29fd125083",
     "f0a875619bf4224f669969cac78f37d0dc33677ceeee114754ab9de09ebdc6bb",
     "828c706ebf484f607652f743e5e0659b32d3fd7c2113d6eb97ac92825773cf29"},
    {100000, 32768, 4, "6b4e3f3d1dee15db72c519f5962bad253dfc7d4183d7e30e656259ce1eeab007",
     "26ce98d1c2ad96891be47b6d01b8a5a8d5a91866997522ee3a57ae0ba846bba9",
     "6aeeb2f304b96333c9af0d0a646d227f4413e4dfde8da317eabcb92bf234ba61",
     "62e68b0ec2ad455f874201037f72d3aa942262e16943ce62b62d482f960eba5b",
     "64b03b315d1ecd28eee8bb4b794cb6fafb04cac0f497657e55bf1b2d93409fc1"},
    {262144, 65536, 4, "737b0671b0d28d4cb9ca2bcc4b2ec40696586dbb6b21aa501a7658dc445040c5",
     "d0cf8dac53c15b261005ced9029f7491a491ef3aff951d7c6cf53e8f32bfa82f",
     "bf5e6794f674e74d96c094af0945222b017815cb2056fa2821800f64148f80aa",
     "5f392ab209f4d73ca40a262786cbdc11cfbce40eb5fc66439c1416c9ecc6b38a",
     "fab8fa690030265c5d0bd84bc3ace5d9e8491d026591560c69d41c23055579dd"},
    {300000, 65536, 5, "5a67e7e545f6c42a3662c41aa6e0ede53d2a9011915681169310b402a518bf24",
     "f56fd0565190e15dc8cefcc21a4a4b0bb191ae142c000a5b148bf2fd5ceb4e2c",
     "bf5e6794f674e74d96c094af0945222b017815cb2056fa2821800f64148f80aa",
     "440d0a3132c74ecc77cb5bde2b01eb3c57ce5b37a771ac5776789192071be44f",
     "4f9664b66423b31e0c721127d8bf44d5c5ea1d454de3428dff5f01099ca2263a"},
};

inline Bytes content(std::size_t n) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

inline std::vector<Hash256> leaves_of(ByteView bytes) {
  std::vector<Hash256> leaves;
  for (std::size_t at = 0; at < bytes.size(); at += kBlockSize) {
    leaves.push_back(
        crypto::sha256(bytes.subspan(at, std::min<std::size_t>(kBlockSize, bytes.size() - at))));
  }
  return leaves;
}

inline BlobMeta meta_of(const Vector& v) {
  return {.digest = *oci::Digest::parse("sha256:" + std::string(v.digest)),
          .size = v.size,
          .piece_length = v.piece_length,
          .pieces_root = *hash256_from_hex(v.root)};
}

}  // namespace convoy::bt::test
