#pragma once

#include <vector>

#include "sim/options.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::sim {

/// A blob without bytes: each piece has a hash that differs from the others', by a toy of a hash
/// function.
struct Blob {
  bt::BlobMeta meta;
  std::vector<Hash256> layer;
};

Blob make_blob(std::uint64_t size, std::uint32_t piece_length, std::uint32_t number);
/// All blobs of a run.
std::vector<Blob> blobs_of(const SwarmOptions&);

}  // namespace convoy::sim
