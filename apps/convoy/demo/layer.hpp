#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "demo/image.hpp"

namespace convoy::demo {

struct Layer {
  ImageBlob blob;       ///< as stored: gzip
  oci::Digest diff_id;  ///< of the tar inside
};

/// One layer: a ustar archive that holds `name` with `bytes` random bytes, in gzip form with
/// stored blocks (random bytes do not compress), written to `blobs`/<hex of its digest>.
Result<Layer> write_layer(const std::filesystem::path& blobs, const std::string& name,
                          std::uint64_t bytes, Random&);

}  // namespace convoy::demo
