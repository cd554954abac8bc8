#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hasher.hpp"
#include "base/result.hpp"
#include "storage/blob/disk.hpp"
#include "wire/oci/digest.hpp"

// Calls block: run them on a worker. Safe from any thread; one object of a kind that is
// handed out (reader, upload) is used by one thread at a time.
namespace convoy::storage {

/// Bytes of a blob, by position, so that pieces may be served in any order.
class BlobBytes {
 public:
  virtual ~BlobBytes() = default;
  /// Fills `out` from `offset`; the range must lie inside the blob. Error "blob_read".
  virtual Status read_at(std::uint64_t offset, MutableByteView out) const = 0;
  /// The same from memory alone, so that no disk is waited for; false when not all of it lies
  /// there, or on any trouble: read_at() knows more.
  virtual bool read_now(std::uint64_t offset, MutableByteView out) const = 0;
  /// A descriptor for sendfile(2), or -1 when the bytes are not in a plain file.
  virtual int fd() const = 0;
};

/// A stored blob, open; its content stays readable while it is open, even when the blob is deleted
/// meanwhile.
class BlobReader : public BlobBytes {
 public:
  virtual std::uint64_t size() const = 0;
};

/// What commit() needs to know of a finished upload, and what it keeps beside the blob.
struct BlobFacts {
  oci::Digest digest;
  std::uint64_t size = 0;
  std::vector<Hash256> leaves;  ///< Merkle leaves, 16 KiB blocks (BEP 52)
};

/// An upload in progress: bytes in a temporary file. It survives a restart: reopen by id and
/// go on at size(). Destroying the object does not remove it.
class BlobUpload {
 public:
  virtual ~BlobUpload() = default;
  virtual const std::string& id() const = 0;
  virtual std::uint64_t size() const = 0;
  /// Appends. Errors "disk_full" (exhausted), "blob_write".
  virtual Status append(ByteView) = 0;
  /// Reads back from the start, to rebuild hash state after a restart.
  virtual Status read_at(std::uint64_t offset, MutableByteView out) const = 0;
  /// Makes the blob durable: fsync of the file, rename to its digest, fsync of the directory, the
  /// leaves beside it. Idempotent for a digest that is already there; one that is there with
  /// another length is replaced. The upload is gone then, and also when the disk could not keep
  /// what was written: a second fsync would not tell any more.
  virtual Status commit(const BlobFacts&) = 0;
  /// Makes what was appended durable. The error "blob_write" ends the upload as one of commit()
  /// does, for the same reason.
  virtual Status sync() = 0;
  /// Removes it.
  virtual void discard() noexcept = 0;

  /// Appends to the notes: bytes beside the upload that are gone with it. They are not durable: a
  /// crash may take or damage any of them. Errors "disk_full", "blob_write".
  virtual Status add_note(ByteView) = 0;
  /// Reads from the notes; returns less than was asked for at their end. Error "blob_read".
  virtual Result<std::size_t> read_notes(std::uint64_t offset, MutableByteView out) = 0;
  /// Forgets the notes behind the first `size` bytes. Error "blob_write".
  virtual Status cut_notes(std::uint64_t size) = 0;
};

/// A stored blob as its directory tells it, whatever the metadata say.
struct StoredBlobInfo {
  oci::Digest digest;
  std::uint64_t size = 0;
  UnixTime stored{};  ///< when its bytes were last written
};

class BlobStore {
 public:
  /// Blobs are spread over this many buckets by their digests; list() gives one of them.
  static constexpr unsigned kBuckets = 512;

  virtual ~BlobStore() = default;
  /// `id`: 32 lower-case hexadecimal digits, unique.
  virtual Result<std::unique_ptr<BlobUpload>> create_upload(const std::string& id) = 0;
  /// Error "blob_upload_unknown".
  virtual Result<std::unique_ptr<BlobUpload>> reopen_upload(const std::string& id) = 0;
  virtual Result<std::vector<std::string>> list_uploads() = 0;

  /// Error "blob_unknown".
  virtual Result<std::unique_ptr<BlobReader>> open(const oci::Digest&) = 0;
  /// Merkle leaves as committed. Error "blob_unknown".
  virtual Result<std::vector<Hash256>> leaves(const oci::Digest&) = 0;
  virtual Result<std::uint64_t> size(const oci::Digest&) = 0;
  virtual Status remove(const oci::Digest&) = 0;

  /// The blobs of a bucket (below kBuckets), in no order. Removes leaves whose blob a crash kept
  /// from coming.
  virtual Result<std::vector<StoredBlobInfo>> list(unsigned bucket) = 0;
  /// Puts the blob aside, so that it is not found any more and can be stored anew; an earlier one
  /// of that digest which was put aside is replaced. Error "blob_unknown".
  virtual Status quarantine(const oci::Digest&) = 0;
  /// Removes one that was put aside; fine when there is none.
  virtual Status drop_quarantined(const oci::Digest&) = 0;
  /// Replaces the leaves of a stored blob. Error "blob_unknown".
  virtual Status replace_leaves(const oci::Digest&, const std::vector<Hash256>&) = 0;
};

/// Files below one directory: blobs/<algorithm>/<2 hex>/<hex>, leaves beside them with the suffix
/// ".leaves", uploads/<id>, notes beside them with the suffix ".notes",
/// quarantine/<algorithm>-<hex>. Refuses to open a root that others may write to. What changes
/// there goes through `disk`, which must outlive the store and its uploads. Error "store_open".
Result<std::unique_ptr<BlobStore>> open_file_blob_store(const std::string& root,
                                                        Disk& disk = system_disk());
/// The in-memory twin, for tests.
std::unique_ptr<BlobStore> make_memory_blob_store();

}  // namespace convoy::storage
