#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/http/message.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::agent {

/// What a target of the distribution API asks for, as far as the agent cares.
struct V2Path {
  enum class Kind : std::uint8_t {
    ping,      ///< /v2/
    manifest,  ///< /v2/<repository>/manifests/<reference>
    blob,      ///< /v2/<repository>/blobs/<digest>
    other,     ///< anything else below /v2/, or outside it
  };
  Kind kind = Kind::other;
  std::optional<oci::RepoName> repository;  ///< of a manifest or blob
  std::optional<oci::Reference> reference;  ///< of a manifest
  std::optional<oci::Digest> digest;        ///< of a blob
};

/// A path of known shape with a bad name, reference or digest is the error of that part; uploads
/// are `other`.
Result<V2Path> parse_v2_path(const http::Target&);

}  // namespace convoy::agent
