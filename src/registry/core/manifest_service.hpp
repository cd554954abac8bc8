#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "registry/core/quota.hpp"
#include "storage/meta/registry_meta.hpp"
#include "wire/oci/manifest.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::registry {

struct StoredReference {
  oci::Digest digest;  ///< by the algorithm the client named, else SHA-256
  std::optional<oci::Digest> subject;
  std::vector<std::string> warnings;  ///< for the one who pushed; in sentences of ASCII
};

/// Takes manifests in. Calls block; safe from any thread. The metadata must outlive it.
class ManifestService {
 public:
  /// Without `quota` there is no limit; it must outlive the service.
  ManifestService(storage::RegistryMeta& meta, oci::MayMiss may_miss, QuotaService* quota = nullptr)
      : meta_(meta), may_miss_(may_miss), quota_(quota) {}

  /// `content_type` as in the header, "" when there is none (the body's own mediaType counts then).
  /// The bytes are kept as they came. Errors "manifest_invalid", "manifest_too_large",
  /// "digest_mismatch", "manifest_blob_unknown", "quota_exceeded", "tag_immutable".
  Result<StoredReference> put(const oci::RepoName&, const oci::Reference&,
                              std::string_view content_type, std::string body,
                              std::vector<oci::Tag> more_tags);

 private:
  storage::RegistryMeta& meta_;
  oci::MayMiss may_miss_;
  QuotaService* quota_;
};

/// "type/subtype" in lower case, without parameters.
std::string media_type_of(std::string_view header);

}  // namespace convoy::registry
