#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "wire/bt/metadata.hpp"

// The tree of BEP 52: leaves are SHA-256 of 16 KiB blocks (the last one short), padded with
// zero hashes to a power of two; a parent is SHA-256(left || right). Pure: the hash function
// comes in as a parameter.
namespace convoy::bt {

using HashPair = Hash256 (*)(const Hash256& left, const Hash256& right);

/// Number of 16 KiB blocks of `size` bytes.
std::uint64_t block_count(std::uint64_t size);
/// The smallest power of two >= n (n >= 1).
std::uint64_t round_up_pow2(std::uint64_t n);

/// The root over `nodes`, padded to `width` (a power of two >= nodes.size()) with `pad`.
Hash256 merkle_root(std::span<const Hash256> nodes, std::uint64_t width, const Hash256& pad,
                    HashPair);
/// What a missing subtree of 2^height leaves hashes to.
Hash256 pad_hash(unsigned height, HashPair);

/// Of the row of `length` hashes at `index` (a multiple of `length`): the siblings of its root and
/// of all its ancestors below the one that is over `width` hashes, lowest first, as a `hashes`
/// message of BEP 52 has them. Lengths and widths are powers of two; what the layer lacks is `pad`.
std::vector<Hash256> uncles(std::span<const Hash256> layer, std::uint64_t width,
                            std::uint64_t index, std::uint64_t length, const Hash256& pad,
                            HashPair);
/// The top of the tree in which `row` stands at `index` (a multiple of its length, which is a power
/// of two) and has these uncles.
Hash256 root_above(std::span<const Hash256> row, std::uint64_t index,
                   std::span<const Hash256> uncles, HashPair);

/// How far above the leaves the piece layer is.
unsigned layer_height(const BlobMeta&);
/// The piece layer: one hash per piece. For a blob of one piece the piece's hash is the root.
std::vector<Hash256> piece_layer(std::span<const Hash256> leaves, const BlobMeta&, HashPair);
/// The root over all leaves: what BlobMeta::pieces_root must be.
Hash256 root_of_leaves(std::span<const Hash256> leaves, HashPair);
/// Whether a complete piece layer belongs to the root.
bool layer_matches(std::span<const Hash256> layer, const BlobMeta&, HashPair);
/// The hash a piece must have, from its own leaves (hashes of its 16 KiB blocks).
Hash256 piece_hash(std::span<const Hash256> piece_leaves, const BlobMeta&, HashPair);

}  // namespace convoy::bt
