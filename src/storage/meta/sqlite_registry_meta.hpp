#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/meta/registry_meta.hpp"
#include "storage/meta/sqlite_pool.hpp"
#include "storage/meta/sqlite_rows.hpp"
#include "storage/meta/sqlite_upkeep.hpp"

namespace convoy::storage {

/// The registry's metadata in SQLite. Its members are defined by what they are about:
/// sqlite_blobs.cpp, sqlite_manifests.cpp, sqlite_manifest_push.cpp, sqlite_tags.cpp,
/// sqlite_uploads.cpp, sqlite_torrents.cpp.
class SqliteRegistryMeta final : public RegistryMeta {
 public:
  SqliteRegistryMeta(std::unique_ptr<DatabasePool> pool, const Clock* clock)
      : pool_(std::move(pool)),
        clock_(clock != nullptr ? *clock : system_clock_),
        upkeep_(make_sqlite_upkeep(*pool_, clock_, guard_)) {}

  RegistryUpkeep& upkeep() override { return *upkeep_; }
  void guard_tags(TagGuard guarded) override { guard_ = std::move(guarded); }

  Status link_blob(const oci::RepoName& repo, const oci::Digest& digest,
                   std::uint64_t size) override;
  Result<std::uint64_t> mount_blob(const oci::RepoName& from, const oci::RepoName& to,
                                   const oci::Digest& digest) override;
  Status hold_blob(const oci::RepoName& repo, const oci::Digest& digest,
                   Duration older_than) override;
  Status note_pull(const oci::RepoName& repo, const oci::Digest& digest,
                   const std::optional<oci::Tag>& tag) override;
  Result<bool> has_blob(const oci::RepoName& repo, const oci::Digest& digest) override;
  Result<std::uint64_t> blob_size(const oci::RepoName& repo, const oci::Digest& digest) override;
  Result<std::vector<oci::RepoName>> repositories_with(const oci::Digest& digest,
                                                       std::size_t limit) override;
  Status unlink_blob(const oci::RepoName& repo, const oci::Digest& digest) override;
  Status put_manifest(const oci::RepoName& repo, const StoredManifest& manifest,
                      const oci::Manifest& parsed, const std::vector<oci::Tag>& tags) override;
  Result<StoredManifest> get_manifest(const oci::RepoName& repo,
                                      const oci::Reference& reference) override;
  Result<bool> has_manifest(const oci::RepoName& repo, const oci::Digest& digest) override;
  Status delete_manifest(const oci::RepoName& repo, const oci::Digest& digest) override;
  Status delete_tag(const oci::RepoName& repo, const oci::Tag& tag) override;
  Result<std::vector<std::string>> tags(const oci::RepoName& repo, const std::string& last,
                                        std::size_t limit) override;
  Result<std::vector<std::string>> repositories(const std::string& last,
                                                std::size_t limit) override;
  Result<std::vector<Referrer>> referrers(const oci::RepoName& repo, const oci::Digest& subject,
                                          const ReferrerQuery& which) override;
  Status put_upload(const UploadRecord& record) override;
  Result<UploadRecord> upload(const std::string& id) override;
  Status delete_upload(const std::string& id) override;
  Result<std::vector<UploadRecord>> uploads() override;
  Status remember_torrent(const std::string& cluster, const RememberedTorrent& torrent,
                          UnixTime seen) override;
  Result<std::vector<RememberedTorrent>> torrents(const std::string& cluster,
                                                  std::size_t limit) override;
  Status forget_torrent(const std::string& cluster, const std::string& short_hex) override;

 private:
  bool guarded(const oci::RepoName& repo, const std::string& tag) const {
    return guard_ && guard_(repo, tag);
  }
  /// Makes the link, or its lease begin again.
  Status store_link(Database& db, const oci::RepoName& repo, std::string_view digest,
                    std::int64_t size) const;

  SystemClock system_clock_;
  std::unique_ptr<DatabasePool> pool_;
  const Clock& clock_;
  TagGuard guard_;
  std::unique_ptr<RegistryUpkeep> upkeep_;
};

}  // namespace convoy::storage
