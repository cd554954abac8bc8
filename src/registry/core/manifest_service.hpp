#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "storage/meta/registry_meta.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::registry {

struct StoredReference {
  oci::Digest digest;  ///< by the algorithm the client named, else SHA-256
  std::optional<oci::Digest> subject;
};

/// Takes manifests in. Calls block; safe from any thread. The metadata must outlive it.
class ManifestService {
 public:
  explicit ManifestService(storage::RegistryMeta& meta) : meta_(meta) {}

  /// `content_type` as in the header, "" when there is none (the body's own mediaType counts then).
  /// The bytes are kept as they came. Errors "manifest_invalid", "manifest_too_large",
  /// "digest_mismatch", "manifest_blob_unknown".
  Result<StoredReference> put(const oci::RepoName&, const oci::Reference&,
                              std::string_view content_type, std::string body,
                              std::vector<oci::Tag> more_tags);

 private:
  storage::RegistryMeta& meta_;
};

/// "type/subtype" in lower case, without parameters.
std::string media_type_of(std::string_view header);

}  // namespace convoy::registry
