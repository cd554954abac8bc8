#include "sim/blob.hpp"

#include "support/swarm_core.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::sim {

Blob make_blob(std::uint64_t size, std::uint32_t piece_length, std::uint32_t number) {
  Blob out{{oci::Digest::sha256({}), size, piece_length, {}}, {}};
  for (std::uint32_t i = 0; i < out.meta.piece_count(); ++i) {
    Hash256 h{};
    for (std::size_t k = 0; k < 8; ++k) h[k] = static_cast<std::uint8_t>(i >> (k * 4));
    h[8] = static_cast<std::uint8_t>(number);
    out.layer.push_back(h);
  }
  unsigned height = 0;
  while ((bt::kBlockSize << height) < piece_length) ++height;
  out.meta.pieces_root = bt::merkle_root(out.layer, bt::round_up_pow2(out.layer.size()),
                                         bt::pad_hash(height, test::toy_pair), test::toy_pair);
  return out;
}

std::vector<Blob> blobs_of(const SwarmOptions& o) {
  std::vector<Blob> out;
  if (o.layers.empty()) out.push_back(make_blob(o.size, o.piece_length, 0));
  for (const std::uint64_t size : o.layers) {
    out.push_back(
        make_blob(size, bt::choose_piece_length(size), static_cast<std::uint32_t>(out.size())));
  }
  return out;
}

}  // namespace convoy::sim
