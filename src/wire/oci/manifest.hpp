#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::oci {

inline constexpr std::size_t kMaxManifestBytes = 4 * 1024 * 1024;
inline constexpr std::string_view kMediaOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kMediaOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kMediaDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kMediaDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::string artifact_type;
  bool has_urls = false;  ///< a foreign layer: its bytes need not be in the registry
};

/// Whether the layer is one that clients fetch from elsewhere: it has urls, or its media type says
/// that it must not be distributed. Its bytes need not be in a registry.
bool is_foreign(const Descriptor&);

/// What a manifest may name before the registry has it.
enum class MayMiss : std::uint8_t {
  nothing,
  children,  ///< of an index: a sparse index
  anything,
};

/// What a registry needs to know of a manifest or index; its bytes are kept as they came.
struct Manifest {
  std::string media_type;               ///< as stored and served
  bool names_type = false;              ///< the body has a mediaType of its own
  MayMiss may_miss = MayMiss::nothing;  ///< the registry's policy, not the body's
  bool is_index = false;
  std::optional<Descriptor> config;
  std::vector<Descriptor> layers;     ///< of a manifest
  std::vector<Descriptor> manifests;  ///< of an index
  std::optional<Descriptor> subject;
  std::string artifact_type;
  std::map<std::string, std::string> annotations;
};

/// `content_type` is the request's, without parameters. Refuses a body whose mediaType is
/// another one, or that has the members of both kinds (CVE-2021-41190), more than 10,000
/// descriptors, or sizes below 0. A null member counts as absent. Error code "manifest_invalid";
/// "manifest_too_large" past kMaxManifestBytes.
Result<Manifest> parse_manifest(std::string_view body, std::string_view content_type);
bool is_manifest_media_type(std::string_view);

}  // namespace convoy::oci
