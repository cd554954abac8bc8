#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "security/token/metadata_statement.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"

namespace convoy::registry {

/// A cluster as the internal API knows it.
struct ClusterTrust {
  std::string name;
  std::string trust_domain;
  std::vector<crypto::Certificate> roots;
};

/// Which cluster's tracker shows this chain (DER, leaf first); nothing when it is none's.
std::optional<std::string> tracker_cluster(const std::vector<Bytes>& chain,
                                           const std::vector<ClusterTrust>&, UnixTime now);

struct StatedBlob {
  bt::BlobMeta meta;
  std::string statement;  ///< compact JWS
};

/// Signed statements on the blobs of repositories (docs/protocols/metadata.md). Statements are kept
/// and given again while they are good for another half of their life. Calls block; safe from any
/// thread.
class MetadataService {
 public:
  MetadataService(storage::BlobStore&, storage::RegistryMeta&, security::MetadataSigner,
                  std::vector<ClusterTrust>, const Clock&);

  const std::vector<ClusterTrust>& clusters() const { return clusters_; }
  /// Error "blob_unknown": the repository does not hold it, or it is empty and so has no torrent.
  Result<StatedBlob> state(const oci::RepoName&, const oci::Digest&);
  /// Called (on the loop) after a tracker of that cluster got a statement.
  std::function<void(const std::string& cluster, const bt::BlobMeta&)> on_stated;

 private:
  struct Kept {
    StatedBlob blob;
    UnixTime signed_at;
  };
  Result<bt::BlobMeta> meta_of(const oci::Digest&);

  storage::BlobStore& blobs_;
  storage::RegistryMeta& registry_;
  security::MetadataSigner signer_;
  std::vector<ClusterTrust> clusters_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<oci::Digest, Kept> kept_;
};

}  // namespace convoy::registry
