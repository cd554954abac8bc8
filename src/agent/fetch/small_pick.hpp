#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/oci/digest.hpp"

namespace convoy::agent {

struct SmallBlob {
  oci::Digest digest;
  std::uint64_t size = 0;  ///< as the manifest has it: above 0, below the limit
};

inline constexpr std::size_t kMaxSmallBlobs = 64;
inline constexpr std::uint64_t kMaxSmallBytes = 1024 * 1024;

/// The config and layers of an image manifest that are smaller than `limit`, in that order, each
/// once, no foreign ones; at most kMaxSmallBlobs with kMaxSmallBytes together. Nothing for an index
/// or what cannot be parsed. `content_type`: without parameters. Pure.
std::vector<SmallBlob> small_blobs_of(std::string_view manifest, std::string_view content_type,
                                      std::uint64_t limit);

}  // namespace convoy::agent
