#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/bt/metadata.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/manifest.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::storage {

struct StoredManifest {
  oci::Digest digest;
  std::string media_type;
  std::string body;  ///< the bytes as pushed
};

/// One row of the referrers of a subject.
struct Referrer {
  oci::Digest digest;
  std::string media_type;
  std::uint64_t size = 0;
  std::string artifact_type;
  std::string annotations_json;  ///< "{}" when none
};

/// Which referrers of a subject, in the order of their digests.
struct ReferrerQuery {
  std::string artifact_type;  ///< "" for each
  std::string after;          ///< digest text, exclusive; "" from the start
  std::size_t limit = 10'000;
  /// Of annotations. The row that passes it is the last, unless it is the first: whoever can show
  /// no more than so many sees that there is more.
  std::size_t bytes = 4 * 1024 * 1024;
};

/// An upload in progress: where it belongs and who began it.
struct UploadRecord {
  std::string id;
  oci::RepoName repository;
  std::string subject;
  UnixTime started{};
};

struct RememberedTorrent {
  std::string short_hex;
  bt::BlobMeta meta;
};

class RegistryUpkeep;

/// What the registry knows besides bytes: which repository holds which blob, manifests, tags,
/// referrers. Each call is one transaction and durable when it returns. Calls block; safe from any
/// thread (readers run beside the writer). The SQL is portable; PostgreSQL can stand behind it
/// later.
class RegistryMeta {
 public:
  virtual ~RegistryMeta() = default;

  /// Links a committed blob to a repository (which is made by it). Idempotent; a link that is there
  /// already counts as just made, so that collection leaves it alone for the time of a lease. Takes
  /// the digest out of quarantine: whoever links has just stored good bytes.
  virtual Status link_blob(const oci::RepoName&, const oci::Digest&, std::uint64_t size) = 0;
  /// Links a blob of `from` to `to` in one transaction, so that it cannot be collected between.
  /// Returns its size. Error "blob_unknown" when `from` does not hold it.
  virtual Result<std::uint64_t> mount_blob(const oci::RepoName& from, const oci::RepoName& to,
                                           const oci::Digest&) = 0;
  /// A client was told that the blob is there (HEAD) and may now name it in a manifest: when
  /// nothing else holds it, its lease begins again. Error "blob_unknown". Costs a write only for an
  /// unreferenced blob whose lease is older than `older_than`.
  virtual Status hold_blob(const oci::RepoName&, const oci::Digest&, Duration older_than) = 0;
  virtual Result<bool> has_blob(const oci::RepoName&, const oci::Digest&) = 0;
  /// Size when the repository holds it. Error "blob_unknown", also for a quarantined one.
  virtual Result<std::uint64_t> blob_size(const oci::RepoName&, const oci::Digest&) = 0;
  /// Repositories that hold it, for a mount without "from"; the oldest first.
  virtual Result<std::vector<oci::RepoName>> repositories_with(const oci::Digest&,
                                                               std::size_t limit) = 0;
  virtual Status unlink_blob(const oci::RepoName&, const oci::Digest&) = 0;  ///< "blob_unknown"

  /// Stores a manifest, its tag(s), and its referrer row in one transaction. Every blob (or child
  /// manifest) it names must be in the repository: error "manifest_blob_unknown" names the first
  /// that is not. Foreign layers (urls) need not be there, nor what `parsed.may_miss` excepts.
  virtual Status put_manifest(const oci::RepoName&, const StoredManifest&,
                              const oci::Manifest& parsed, const std::vector<oci::Tag>& tags) = 0;
  /// Tags for which `guarded` is true can be made, but neither moved nor removed:
  /// put_manifest, delete_manifest and delete_tag then refuse with "tag_immutable" (denied). Called
  /// within transactions from any thread. Set it before the first use.
  virtual void guard_tags(
      std::function<bool(const oci::RepoName&, const std::string&)> guarded) = 0;
  /// Notes that it was pulled, by `tag` unless that is nothing. Lost by a crash of the machine.
  virtual Status note_pull(const oci::RepoName&, const oci::Digest&,
                           const std::optional<oci::Tag>&) = 0;
  /// Error "manifest_unknown" (or "name_unknown" when the repository does not exist).
  virtual Result<StoredManifest> get_manifest(const oci::RepoName&, const oci::Reference&) = 0;
  /// The same question without the body; false also when there is no such repository.
  virtual Result<bool> has_manifest(const oci::RepoName&, const oci::Digest&) = 0;
  virtual Status delete_manifest(const oci::RepoName&, const oci::Digest&) = 0;
  virtual Status delete_tag(const oci::RepoName&, const oci::Tag&) = 0;

  /// In the order the distribution-spec wants (without case, then with), after `last` (exclusive),
  /// at most `limit`. Error "name_unknown".
  virtual Result<std::vector<std::string>> tags(const oci::RepoName&, const std::string& last,
                                                std::size_t limit) = 0;
  virtual Result<std::vector<std::string>> repositories(const std::string& last,
                                                        std::size_t limit) = 0;
  virtual Result<std::vector<Referrer>> referrers(const oci::RepoName&, const oci::Digest& subject,
                                                  const ReferrerQuery& = {}) = 0;

  /// Uploads in progress. Unlike all else these survive a crash of the process but not of the
  /// machine: an upload whose record is lost is begun again by its client.
  virtual Status put_upload(const UploadRecord&) = 0;
  virtual Result<UploadRecord> upload(const std::string& id) = 0;  ///< "blob_upload_unknown"
  virtual Status delete_upload(const std::string& id) = 0;         ///< fine when it is not there
  virtual Result<std::vector<UploadRecord>> uploads() = 0;

  /// Remembers what a torrent (the first 40 hex digits of its info-hash) of a cluster is, so that
  /// an origin seeder finds it again after a restart. Survives as uploads do.
  virtual Status remember_torrent(const std::string& cluster, const RememberedTorrent&,
                                  UnixTime seen) = 0;
  /// The latest seen first.
  virtual Result<std::vector<RememberedTorrent>> torrents(const std::string& cluster,
                                                          std::size_t limit) = 0;
  virtual Status forget_torrent(const std::string& cluster, const std::string& short_hex) = 0;

  /// Collection, retention and accounting over the same database; lives as long as this.
  virtual RegistryUpkeep& upkeep() = 0;
};

/// SQLite in WAL mode with synchronous=FULL, `path` or ":memory:"; migrates by itself.
/// Errors "database_open", "database_newer" (made by a later version). `clock` dates what is
/// pushed, pulled and linked and must outlive it; null: the system's.
Result<std::unique_ptr<RegistryMeta>> open_registry_meta(const std::string& path,
                                                         const Clock* clock = nullptr);

}  // namespace convoy::storage
