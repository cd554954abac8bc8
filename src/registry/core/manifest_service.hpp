#pragma once

#include <mutex>
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
  std::string media_type;
  std::uint64_t size = 0;  ///< of the body
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
  /// Deletes a manifest with its tags. When it has a subject it also goes from the list that
  /// clients without the referrers API keep under a tag; an emptied list goes too. Errors
  /// "manifest_unknown", "tag_immutable".
  Status remove(const oci::RepoName&, const oci::Digest&);

 private:
  /// Nothing for a manifest that the repository holds: it counts already.
  Result<QuotaHold> reserve(const oci::RepoName&, const oci::Digest&, std::uint64_t bytes);
  Status drop_from_list(const oci::RepoName&, const oci::Digest& subject, const oci::Digest&);

  storage::RegistryMeta& meta_;
  oci::MayMiss may_miss_;
  QuotaService* quota_;
  std::mutex lists_;  // of referrers under a tag: read, changed and put back by one at a time
};

/// "type/subtype" in lower case, without parameters.
std::string media_type_of(std::string_view header);

}  // namespace convoy::registry
