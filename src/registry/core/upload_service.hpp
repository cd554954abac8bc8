#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/blob_hasher.hpp"
#include "net/task.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/digest_gate.hpp"
#include "registry/core/quota.hpp"
#include "registry/core/upload_notes.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"

namespace convoy::registry {

struct UploadLimits {
  std::uint64_t blob_bytes = 64ULL * 1024 * 1024 * 1024;
  std::size_t per_user = 1000;
  Duration lifetime = std::chrono::hours(24);
  Duration abandoned = std::chrono::hours(2);  ///< without a request
  /// How much of an upload may have to be hashed again after a restart.
  std::uint64_t note_step = 256ULL * 1024 * 1024;
};

/// Body bytes as they come; 0 at the end.
using BodyReader = std::function<net::Task<Result<std::size_t>>(MutableByteView)>;

/// One upload in progress.
class Upload {
 public:
  const std::string& id() const { return record_.id; }
  const oci::RepoName& repository() const { return record_.repository; }
  std::uint64_t size() const { return size_; }  ///< bytes accepted so far

 private:
  friend class UploadService;
  friend class UploadHold;
  explicit Upload(storage::UploadRecord record) : record_(std::move(record)) {}

  storage::UploadRecord record_;
  SteadyTime touched_{};
  bool held_ = false;
  std::uint64_t size_ = 0;
  // What follows is used on a worker while the upload is held.
  std::unique_ptr<storage::BlobUpload> file_;  // null until this process first needs it
  crypto::BlobHasher hashes_{oci::DigestAlgorithm::sha256};
  std::optional<UploadNotes> notes_;  // with file_
  std::optional<QuotaHold> quota_;
  bool lost_ = false;  // the disk could not keep what was written
};

/// An upload for the time of one request: no other request may touch it meanwhile.
class UploadHold {
 public:
  explicit UploadHold(std::shared_ptr<Upload> upload);
  UploadHold(UploadHold&&) noexcept = default;
  UploadHold& operator=(UploadHold&&) = delete;
  ~UploadHold();
  const std::shared_ptr<Upload>& upload() const { return upload_; }
  const Upload* operator->() const { return upload_.get(); }

 private:
  std::shared_ptr<Upload> upload_;
};

/// Blob uploads: bytes are hashed, Merkle-hashed and written in one pass, in steps of at most 256
/// KiB on a worker. Uploads survive a restart, and so do their hashes but for the last bytes, which
/// are read again. One thread; store, metadata, pool, clock and random must outlive it.
class UploadService {
 public:
  UploadService(storage::BlobStore&, storage::RegistryMeta&, DigestGate&, QuotaService&,
                net::WorkerPool&, const Clock&, Random&, UploadLimits);

  /// Finds the uploads of an earlier process; removes what belongs to none. Blocks; call once,
  /// first.
  Status recover();

  /// `algorithm` is what the client will most likely commit with. Error "too_many_uploads"
  /// (exhausted).
  net::Task<Result<UploadHold>> begin(oci::RepoName, std::string subject,
                                      oci::DigestAlgorithm algorithm);
  /// Errors "blob_upload_unknown" (also for one of another repository or user), "upload_busy"
  /// (exhausted).
  net::Task<Result<UploadHold>> find(oci::RepoName, std::string subject, std::string id);
  /// Appends a body of `expected` bytes, if that is known. What came before an error stays and
  /// counts. Errors: those of the reader, "blob_too_large" (too_large), "quota_exceeded",
  /// "size_invalid", "disk_full".
  net::Task<Status> append(std::shared_ptr<Upload>, BodyReader,
                           std::optional<std::uint64_t> expected);
  /// Checks the digest, makes the blob durable and links it to the repository; returns its size.
  /// Error "digest_mismatch", which ends the upload, as does a disk that fails to keep it.
  net::Task<Result<std::uint64_t>> finish(std::shared_ptr<Upload>, oci::Digest);
  net::Task<void> cancel(std::shared_ptr<Upload>);
  /// Links a blob of `from` to `to`, within the quota of `to`. Blocks; safe from any thread. Errors
  /// "blob_unknown" when `from` does not hold it, "quota_exceeded".
  Result<std::uint64_t> mount(const oci::RepoName& from, const oci::RepoName& to,
                              const oci::Digest&);
  /// Removes uploads that nobody holds past their lifetime, or abandoned. Returns their number.
  net::Task<std::size_t> expire();

  std::size_t size() const { return uploads_.size(); }

 private:
  net::Task<Status> open_file(std::shared_ptr<Upload>);
  net::Task<Status> catch_up(std::shared_ptr<Upload>);
  /// Which upload makes room for one more of the user; null: there is room.
  Result<std::shared_ptr<Upload>> room_for(const std::string& subject) const;
  /// Writes what the reader gives.
  net::Task<Status> take(std::shared_ptr<Upload>, BodyReader,
                         std::optional<std::uint64_t> expected);
  /// Sets aside in its project no more than the upload has.
  net::Task<void> settle(std::shared_ptr<Upload>);
  Status reserve(Upload&, std::uint64_t bytes, std::uint64_t ahead);
  static Status write(Upload&, ByteView);
  static Status keep_notes(Upload&);
  Status commit(Upload&, const oci::Digest&);

  storage::BlobStore& blobs_;
  storage::RegistryMeta& meta_;
  DigestGate& gate_;
  QuotaService& quota_;
  net::WorkerPool& pool_;
  const Clock& clock_;
  Random& random_;
  UploadLimits limits_;
  std::unordered_map<std::string, std::shared_ptr<Upload>> uploads_;
};

}  // namespace convoy::registry
