#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/blob/disk.hpp"

// Files by descriptor: each name is one path component below an open directory, symbolic links
// are never followed, and no name comes from outside text.
namespace convoy::storage {

/// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// An Error for `errno`: "disk_full" (exhausted) when space or quota ran out, else `code`
/// (internal).
Error file_error(std::string code, std::string_view what, int error_number);

/// Opens a directory that this process keeps its own data in, making it (0700) when it is not
/// there. Refuses one that belongs to another user or that group or others may write to.
/// Error "store_open".
Result<Fd> open_root(const std::string& path);
/// A directory below `dir`, made (0700, and made durable) when it is not there. Error "store_open".
Result<Fd> open_subdir(int dir, const std::string& name, Disk& = system_disk());

/// openat(2) with O_NOFOLLOW | O_CLOEXEC; only regular files. A missing file is "file_unknown"
/// (not_found); any other trouble is `code`.
Result<Fd> open_file(int dir, const std::string& name, int flags, std::string_view code,
                     Disk& = system_disk());
Result<std::uint64_t> file_size(int fd, std::string_view code);

Status write_all(int fd, std::uint64_t offset, ByteView, std::string_view code = "blob_write",
                 Disk& = system_disk());
Status read_exact(int fd, std::uint64_t offset, MutableByteView,
                  std::string_view code = "blob_read");
/// Fills `out` from the page cache; false when not all of it is there, or on any trouble.
bool read_cached(int fd, std::uint64_t offset, MutableByteView out);
/// Starts writing these bytes to the disk, without waiting for the end of it.
void write_pages_back(int fd, std::uint64_t offset, std::uint64_t length);
/// Gives up the pages that hold these bytes in the page cache, as far as the disk has them.
void give_pages_up(int fd, std::uint64_t offset, std::uint64_t length);
Result<Bytes> read_whole(int dir, const std::string& name, std::size_t limit,
                         std::string_view code);
Status sync_fd(int fd, std::string_view code = "blob_write", Disk& = system_disk());

/// Writes `tmp_name` in `tmp_dir`, fsyncs it and renames it to `name` in `dir`, whose fsync is left
/// to the caller.
Status write_durably(int tmp_dir, const std::string& tmp_name, int dir, const std::string& name,
                     ByteView, std::string_view code = "blob_write", Disk& = system_disk());
Status rename_file(int from_dir, const std::string& from, int to_dir, const std::string& to,
                   std::string_view code = "blob_write", Disk& = system_disk());
bool exists(int dir, const std::string& name);
/// The same of exactly so many bytes.
bool exists(int dir, const std::string& name, std::uint64_t size);
/// True when it was there.
bool remove_file(int dir, const std::string& name, Disk& = system_disk()) noexcept;
/// The names in it, without "." and "..".
Result<std::vector<std::string>> list_directory(int dir, std::string_view code);

/// Holds `<root>/lock` as long as it lives, so that one process uses a root. Error "store_locked"
/// (conflict) when another has it.
Result<Fd> lock_root(int root);

}  // namespace convoy::storage
