#include "registry/core/metadata_service.hpp"

#include "crypto/hash.hpp"
#include "security/identity/spiffe.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxKept = 10'000;
constexpr std::size_t kMaxChain = 6;

}  // namespace

std::optional<std::string> tracker_cluster(const std::vector<Bytes>& chain,
                                           const std::vector<ClusterTrust>& clusters,
                                           UnixTime now) {
  if (chain.empty() || chain.size() > kMaxChain) return std::nullopt;
  std::vector<crypto::Certificate> certificates;
  for (const auto& der : chain) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) return std::nullopt;
    certificates.push_back(std::move(*certificate));
  }
  auto id = security::spiffe_of(certificates.front());
  if (!id || id->kind != security::NodeKind::tracker) return std::nullopt;
  const std::vector<crypto::Certificate> above(certificates.begin() + 1, certificates.end());
  for (const auto& cluster : clusters) {
    if (cluster.name != id->cluster || cluster.trust_domain != id->trust_domain) continue;
    // TLS accepted the chain for some cluster's root; it must be this one's.
    auto trusted = crypto::verify_chain(certificates.front(), above, cluster.roots,
                                        crypto::CertUse::node, now);
    if (trusted) return cluster.name;
  }
  return std::nullopt;
}

MetadataService::MetadataService(storage::BlobStore& blobs, storage::RegistryMeta& registry,
                                 security::MetadataSigner signer,
                                 std::vector<ClusterTrust> clusters, const Clock& clock)
    : blobs_(blobs),
      registry_(registry),
      signer_(std::move(signer)),
      clusters_(std::move(clusters)),
      clock_(clock) {}

Result<bt::BlobMeta> MetadataService::meta_of(const oci::Digest& digest) {
  auto size = blobs_.size(digest);
  if (!size) return std::move(size).error();
  if (*size == 0) return not_found("blob_unknown", "an empty blob has no torrent");
  auto leaves = blobs_.leaves(digest);
  if (!leaves) return std::move(leaves).error();
  return bt::BlobMeta{.digest = digest,
                      .size = *size,
                      .piece_length = bt::choose_piece_length(*size),
                      .pieces_root = bt::root_of_leaves(*leaves, crypto::sha256_pair)};
}

Result<StatedBlob> MetadataService::state(const oci::RepoName& repository,
                                          const oci::Digest& digest) {
  auto linked = registry_.has_blob(repository, digest);
  if (!linked) return std::move(linked).error();
  if (!*linked) return not_found("blob_unknown");
  const UnixTime now = clock_.wall();
  {
    const std::lock_guard lock(mutex_);
    const auto it = kept_.find(digest);
    if (it != kept_.end() && now - it->second.signed_at < security::kMetadataLifetime / 2) {
      return it->second.blob;
    }
  }
  auto meta = meta_of(digest);
  if (!meta) return std::move(meta).error();
  StatedBlob blob{*meta, signer_.sign(*meta)};
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxKept) kept_.clear();
  kept_.insert_or_assign(digest, Kept{blob, now});
  return blob;
}

}  // namespace convoy::registry
