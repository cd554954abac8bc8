#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "storage/meta/registry_meta.hpp"

namespace convoy::test {

/// Passes every call on; what a test wants to go otherwise it overrides.
class PassingMeta : public storage::RegistryMeta {
 public:
  explicit PassingMeta(storage::RegistryMeta& inner) : inner_(inner) {}

  Status link_blob(const oci::RepoName& r, const oci::Digest& d, std::uint64_t size) override {
    return inner_.link_blob(r, d, size);
  }
  Result<std::uint64_t> mount_blob(const oci::RepoName& from, const oci::RepoName& to,
                                   const oci::Digest& d) override {
    return inner_.mount_blob(from, to, d);
  }
  Status hold_blob(const oci::RepoName& r, const oci::Digest& d, Duration older_than) override {
    return inner_.hold_blob(r, d, older_than);
  }
  Result<bool> has_blob(const oci::RepoName& r, const oci::Digest& d) override {
    return inner_.has_blob(r, d);
  }
  Result<std::uint64_t> blob_size(const oci::RepoName& r, const oci::Digest& d) override {
    return inner_.blob_size(r, d);
  }
  Result<std::vector<oci::RepoName>> repositories_with(const oci::Digest& d,
                                                       std::size_t limit) override {
    return inner_.repositories_with(d, limit);
  }
  Status unlink_blob(const oci::RepoName& r, const oci::Digest& d) override {
    return inner_.unlink_blob(r, d);
  }
  Status put_manifest(const oci::RepoName& r, const storage::StoredManifest& manifest,
                      const oci::Manifest& parsed, const std::vector<oci::Tag>& tags) override {
    return inner_.put_manifest(r, manifest, parsed, tags);
  }
  void guard_tags(std::function<bool(const oci::RepoName&, const std::string&)> guarded) override {
    inner_.guard_tags(std::move(guarded));
  }
  Status note_pull(const oci::RepoName& r, const oci::Digest& d,
                   const std::optional<oci::Tag>& tag) override {
    return inner_.note_pull(r, d, tag);
  }
  Result<storage::StoredManifest> get_manifest(const oci::RepoName& r,
                                               const oci::Reference& reference) override {
    return inner_.get_manifest(r, reference);
  }
  Result<bool> has_manifest(const oci::RepoName& r, const oci::Digest& d) override {
    return inner_.has_manifest(r, d);
  }
  Status delete_manifest(const oci::RepoName& r, const oci::Digest& d) override {
    return inner_.delete_manifest(r, d);
  }
  Status delete_tag(const oci::RepoName& r, const oci::Tag& tag) override {
    return inner_.delete_tag(r, tag);
  }
  Result<std::vector<std::string>> tags(const oci::RepoName& r, const std::string& last,
                                        std::size_t limit) override {
    return inner_.tags(r, last, limit);
  }
  Result<std::vector<std::string>> repositories(const std::string& last,
                                                std::size_t limit) override {
    return inner_.repositories(last, limit);
  }
  Result<std::vector<storage::Referrer>> referrers(const oci::RepoName& r,
                                                   const oci::Digest& subject,
                                                   const storage::ReferrerQuery& which) override {
    return inner_.referrers(r, subject, which);
  }
  Status put_upload(const storage::UploadRecord& record) override {
    return inner_.put_upload(record);
  }
  Result<storage::UploadRecord> upload(const std::string& id) override { return inner_.upload(id); }
  Status delete_upload(const std::string& id) override { return inner_.delete_upload(id); }
  Result<std::vector<storage::UploadRecord>> uploads() override { return inner_.uploads(); }
  Status remember_torrent(const std::string& cluster, const storage::RememberedTorrent& torrent,
                          UnixTime seen) override {
    return inner_.remember_torrent(cluster, torrent, seen);
  }
  Result<std::vector<storage::RememberedTorrent>> torrents(const std::string& cluster,
                                                           std::size_t limit) override {
    return inner_.torrents(cluster, limit);
  }
  Status forget_torrent(const std::string& cluster, const std::string& short_hex) override {
    return inner_.forget_torrent(cluster, short_hex);
  }
  storage::RegistryUpkeep& upkeep() override { return inner_.upkeep(); }

 private:
  storage::RegistryMeta& inner_;
};

}  // namespace convoy::test
