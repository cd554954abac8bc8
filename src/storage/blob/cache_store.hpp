#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/blob/blob_store.hpp"
#include "wire/bt/metadata.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::storage {

/// A blob that comes piece by piece into a file that has room for all of it; what is verified is
/// recorded, so that a crash costs at most the pieces of the last moments. Calls block; safe from
/// any thread.
class PieceFile : public BlobBytes {
 public:
  virtual const bt::BlobMeta& meta() const = 0;
  /// Errors "disk_full" (exhausted), "blob_write".
  virtual Status write_at(std::uint64_t offset, ByteView) = 0;
  /// Records that a piece was verified by the caller.
  virtual Status mark_piece(std::uint32_t piece) = 0;
  /// Pieces recorded, one bool each. After a restart they are only claims: the caller verifies
  /// them again before it serves them.
  virtual std::vector<bool> pieces() const = 0;
  /// Takes a claimed piece back.
  virtual Status clear_piece(std::uint32_t piece) = 0;
};

/// The agent's cache: complete blobs by digest, and those on their way.
class CacheStore {
 public:
  virtual ~CacheStore() = default;
  /// A complete blob, or nothing.
  virtual std::optional<std::unique_ptr<BlobReader>> open_complete(const oci::Digest&) = 0;
  /// The metadata it was completed with, or nothing.
  virtual std::optional<bt::BlobMeta> complete_meta(const oci::Digest&) = 0;
  /// Goes on with a partial file of the same metadata, or makes one. A root of zeros stands for one
  /// that is not known: it goes on with a file of any root, and leaves the root and the claims of
  /// that file to who asks with them again. Errors "disk_full", "store_open".
  virtual Result<std::shared_ptr<PieceFile>> open_partial(const bt::BlobMeta&) = 0;
  /// Turns a partial blob whose whole digest the caller has verified into a complete one, durably.
  virtual Status complete(PieceFile&) = 0;
  /// Remembers, durably, that this registry delivered the complete blob; the last 16 are kept.
  /// Nothing happens when the blob is not there.
  virtual Status add_source(const oci::Digest&, const oci::RegistryHost&) = 0;
  /// Whether the complete blob was delivered by this registry.
  virtual bool has_source(const oci::Digest&, const oci::RegistryHost&) = 0;
  virtual Status drop(const oci::Digest&) = 0;
  /// Whether these bytes of a blob, complete or not, are among those that its readers and writers
  /// brought into the page cache and that may stay there. Does not block.
  virtual bool in_memory(const oci::Digest&, std::uint64_t offset, std::uint64_t length) = 0;
  struct Entry {
    oci::Digest digest;
    std::uint64_t bytes = 0;
    bool complete = false;
    std::int64_t last_used = 0;  ///< seconds since the epoch
  };
  virtual std::vector<Entry> list() = 0;
};

/// complete/<hex> with ".meta" beside it (metadata, then the registries that delivered the blob),
/// partial/<hex> with ".meta" and ".have". Only one process may use a root (lock file).
/// `page_cache`: what its files may hold of the kernel's page cache, in bytes, 16 MiB at least.
/// Error "store_open".
Result<std::unique_ptr<CacheStore>> open_cache_store(const std::string& root,
                                                     std::uint64_t page_cache);

}  // namespace convoy::storage
