#pragma once

#include <cstddef>
#include <sys/types.h>

namespace convoy::storage {

/// The calls that change files, so that a test can stand between: each is the POSIX call of its
/// name, with its result and `errno`. Safe from any thread.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual int open(int dir, const char* name, int flags, mode_t mode) = 0;  ///< openat
  virtual int make_directory(int dir, const char* name, mode_t mode) = 0;   ///< mkdirat
  virtual ssize_t write(int fd, const void* bytes, std::size_t size, off_t offset) = 0;  ///< pwrite
  virtual int truncate(int fd, off_t size) = 0;  ///< ftruncate
  /// fallocate with FALLOC_FL_KEEP_SIZE; -1 as well where the file system cannot.
  virtual int allocate(int fd, off_t offset, off_t size) = 0;
  virtual int sync(int fd) = 0;                                                        ///< fsync
  virtual int rename(int from_dir, const char* from, int to_dir, const char* to) = 0;  ///< renameat
  virtual int unlink(int dir, const char* name) = 0;                                   ///< unlinkat
};

/// The kernel's.
Disk& system_disk();

}  // namespace convoy::storage
