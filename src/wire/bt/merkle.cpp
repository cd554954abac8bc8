#include "wire/bt/merkle.hpp"

#include <bit>

namespace convoy::bt {
namespace {

std::uint64_t blocks_per_piece(const BlobMeta& meta) { return meta.piece_length / kBlockSize; }

}  // namespace

std::uint64_t block_count(std::uint64_t size) {
  return size / kBlockSize + (size % kBlockSize != 0 ? 1 : 0);
}

std::uint64_t round_up_pow2(std::uint64_t n) { return std::bit_ceil(n); }

Hash256 merkle_root(std::span<const Hash256> nodes, std::uint64_t width, const Hash256& pad,
                    HashPair hash) {
  std::vector<Hash256> row(nodes.begin(), nodes.end());
  Hash256 missing = pad;
  for (; width > 1; width /= 2) {
    for (std::size_t i = 0; i < row.size(); i += 2) {
      row[i / 2] = hash(row[i], i + 1 < row.size() ? row[i + 1] : missing);
    }
    row.resize((row.size() + 1) / 2);
    missing = hash(missing, missing);
  }
  return row.empty() ? missing : row.front();
}

Hash256 pad_hash(unsigned height, HashPair hash) {
  Hash256 out{};
  for (unsigned i = 0; i < height; ++i) out = hash(out, out);
  return out;
}

std::vector<Hash256> uncles(std::span<const Hash256> layer, std::uint64_t width,
                            std::uint64_t index, std::uint64_t length, const Hash256& pad,
                            HashPair hash) {
  std::vector<Hash256> out;
  for (; length < width; length *= 2) {
    const std::uint64_t sibling = (index / length ^ 1) * length;
    const auto from = std::min<std::size_t>(sibling, layer.size());
    const auto nodes = layer.subspan(from, std::min<std::size_t>(length, layer.size() - from));
    out.push_back(merkle_root(nodes, length, pad, hash));
  }
  return out;
}

Hash256 root_above(std::span<const Hash256> row, std::uint64_t index,
                   std::span<const Hash256> uncles, HashPair hash) {
  Hash256 node = merkle_root(row, row.size(), Hash256{}, hash);
  std::uint64_t position = index / row.size();
  for (const Hash256& uncle : uncles) {
    node = position % 2 == 0 ? hash(node, uncle) : hash(uncle, node);
    position /= 2;
  }
  return node;
}

unsigned layer_height(const BlobMeta& meta) {
  return static_cast<unsigned>(std::countr_zero(blocks_per_piece(meta)));
}

std::vector<Hash256> piece_layer(std::span<const Hash256> leaves, const BlobMeta& meta,
                                 HashPair hash) {
  const auto per_piece = static_cast<std::size_t>(blocks_per_piece(meta));
  std::vector<Hash256> layer;
  layer.reserve(leaves.size() / per_piece + 1);
  for (std::size_t i = 0; i < leaves.size(); i += per_piece) {
    const auto n = std::min(per_piece, leaves.size() - i);
    layer.push_back(piece_hash(leaves.subspan(i, n), meta, hash));
  }
  return layer;
}

Hash256 root_of_leaves(std::span<const Hash256> leaves, HashPair hash) {
  return merkle_root(leaves, round_up_pow2(leaves.size()), Hash256{}, hash);
}

bool layer_matches(std::span<const Hash256> layer, const BlobMeta& meta, HashPair hash) {
  if (layer.size() != meta.piece_count()) return false;
  return merkle_root(layer, round_up_pow2(layer.size()), pad_hash(layer_height(meta), hash),
                     hash) == meta.pieces_root;
}

Hash256 piece_hash(std::span<const Hash256> piece_leaves, const BlobMeta& meta, HashPair hash) {
  // The tree of a blob that fits into one piece is only as wide as its blocks (BEP 52). More
  // leaves than a piece has give a hash that no piece layer holds.
  const std::uint64_t needed = round_up_pow2(piece_leaves.size());
  const std::uint64_t width =
      meta.piece_count() <= 1 ? needed : std::max(needed, blocks_per_piece(meta));
  return merkle_root(piece_leaves, width, Hash256{}, hash);
}

}  // namespace convoy::bt
