#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "tracker/authority/registries.hpp"
#include "tracker/authority/single_flight.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::tracker {

/// What the tracker knows of a blob from its registry's verified word.
struct KnownBlob {
  std::string statement;  ///< compact JWS
  bt::BlobMeta meta;
  bt::InfoHash info_hash{};
  UnixTime expires{};  ///< of the statement
};
using KnownBlobPtr = std::shared_ptr<const KnownBlob>;

/// How long a registry's word that a repository holds a blob is believed.
inline constexpr std::chrono::seconds kMetadataLife{60};

/// Blob metadata by (registry, repository, digest), asked for once at a time. One thread.
class MetadataSource {
 public:
  MetadataSource(net::Executor, net::TaskGroup&, std::size_t max_calls,
                 std::chrono::seconds registry_timeout, std::string cluster_root_pem, const Clock&);

  /// Errors: not_found "blob_unknown"; unavailable "registry_unavailable", and
  /// "registry_metadata_invalid" when the statement does not verify.
  net::Task<Result<KnownBlobPtr>> get(const Registry& registry, oci::RepoName, oci::Digest,
                                      std::string request_id);
  /// What some node asked for before, for the registry's origin; null when nobody did.
  KnownBlobPtr known(const std::string& registry, const oci::Digest&) const;
  void expire(SteadyTime now, UnixTime wall);

 private:
  net::Task<Result<KnownBlobPtr>> fetch(const Registry& registry, oci::RepoName, oci::Digest,
                                        std::string request_id, Deadline);
  void remember(const std::string& registry, KnownBlobPtr);

  SingleFlight<KnownBlobPtr> flights_;
  std::map<std::string, KnownBlobPtr> known_;  ///< by registry and digest
  std::chrono::seconds timeout_;
  std::string root_pem_;
  const Clock& clock_;
};

}  // namespace convoy::tracker
