#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::demo {

struct ImageBlob {
  oci::Digest digest;
  std::uint64_t size = 0;
};

/// An image in an OCI layout directory.
struct Image {
  std::filesystem::path layout;
  std::string tag;               ///< the annotation org.opencontainers.image.ref.name
  std::vector<ImageBlob> blobs;  ///< config first, then the layers
  std::uint64_t bytes = 0;       ///< of all blobs

  const ImageBlob& largest() const;
};

/// Writes a real image of about `bytes`: gzip layers of mixed size (the largest half of the
/// whole), each a tar with one file of random bytes. Takes the randomness from `random`.
Result<Image> make_image(const std::filesystem::path& layout, std::uint64_t bytes, Random& random);

/// Reads a layout made elsewhere; one image manifest (of an index, the first).
Result<Image> read_image(const std::filesystem::path& layout);

}  // namespace convoy::demo
