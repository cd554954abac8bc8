#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::storage {

/// Beside a blob: its leaves; beside an upload: what was noted of it.
inline constexpr std::string_view kLeavesSuffix = ".leaves";
inline constexpr std::string_view kNotesSuffix = ".notes";

Error blob_unknown();

/// Internal to the file blob store: what readers, uploads and the store share, which is the open
/// directories and the locks by digest. Any thread.
struct FileBlobRoot {
  explicit FileBlobRoot(Disk& changes) : disk(changes) {}

  Disk& disk;
  Fd dir;
  Fd uploads;
  Fd sha256;
  Fd sha512;
  Fd quarantine;

  std::mutex& stripe(std::uint8_t first) { return stripes_[first % stripes_.size()]; }
  std::mutex& stripe(const oci::Digest& d) { return stripe(d.raw()[0]); }

  /// The directory a digest lives in, for reading. "blob_unknown" when it was never made.
  Result<Fd> open_bucket(oci::DigestAlgorithm, std::uint8_t first) const;
  Result<Fd> open_bucket(const oci::Digest& d) const {
    return open_bucket(d.algorithm(), d.raw()[0]);
  }
  /// The same, made when there is none; its own entry is on the disk then.
  Result<Fd> make_bucket(const oci::Digest&);

  Status sync(int fd) const { return sync_fd(fd, "blob_write", disk); }
  Status rename(int from, const std::string& name, int to, const std::string& new_name) const {
    return rename_file(from, name, to, new_name, "blob_write", disk);
  }
  bool remove(int dir_fd, const std::string& name) const noexcept {
    return remove_file(dir_fd, name, disk);
  }

 private:
  int algorithm_dir(oci::DigestAlgorithm) const;

  std::array<std::mutex, 64> stripes_;
  /// Buckets whose own entry is known to be on the disk: one that is there may have been made a
  /// moment before a crash, or by another thread that has not reached its fsync.
  std::array<std::atomic<bool>, BlobStore::kBuckets> durable_{};
};

}  // namespace convoy::storage
