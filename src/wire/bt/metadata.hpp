#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::bt {

inline constexpr std::uint32_t kBlockSize = 16 * 1024;  // BEP 52: the leaves of the tree
inline constexpr std::uint32_t kMinPieceLength = 16 * 1024;
inline constexpr std::uint32_t kMaxPieceLength = 16 * 1024 * 1024;

using InfoHash = Hash256;  ///< BEP 52: SHA-256 of the bencoded info dictionary

/// The identity of a torrent as BitTorrent v2 has it (BEP 52).
struct BlobMeta {
  oci::Digest digest;
  std::uint64_t size = 0;          ///< bytes, > 0
  std::uint32_t piece_length = 0;  ///< a power of two in [kMinPieceLength, kMaxPieceLength]
  Hash256 pieces_root{};           ///< root of the Merkle tree over 16 KiB blocks

  std::uint32_t piece_count() const;
  std::uint32_t piece_size(std::uint32_t piece) const;  ///< the last one may be shorter
  std::uint32_t blocks_in(std::uint32_t piece) const;
  bool operator==(const BlobMeta&) const = default;
};

/// The power of two nearest to size / 2048 (of two equally near the larger), within the
/// limits, and at least 32 KiB from 16 MiB on: at most 4096 pieces up to 64 GiB. Both sides of a
/// transfer compute it.
std::uint32_t choose_piece_length(std::uint64_t size);

/// The bencoded info dictionary of an SSL torrent: `file tree`, `meta version` 2, `name` (the
/// digest's hex), `piece length`, `private` 1, `ssl-cert` (the cluster's root certificate, PEM).
/// Its SHA-256 is the info-hash, so two clusters never share one.
Bytes encode_info(const BlobMeta&, std::string_view cluster_root_pem);

/// The first 20 bytes in hex: what announces, the handshake and SNI carry (BEP 52).
std::string short_hex(const InfoHash&);

}  // namespace convoy::bt
