#pragma once

#include <atomic>
#include <cerrno>
#include <utility>

#include "storage/blob/disk.hpp"

namespace convoy::test {

/// The system's, but it fails when told so.
class FailingDisk final : public storage::Disk {
 public:
  int open(int dir, const char* name, int flags, mode_t mode) override {
    return real_.open(dir, name, flags, mode);
  }
  int make_directory(int dir, const char* name, mode_t mode) override {
    return real_.make_directory(dir, name, mode);
  }
  ssize_t write(int fd, const void* bytes, std::size_t size, off_t offset) override {
    if (!full) return real_.write(fd, bytes, size, offset);
    errno = ENOSPC;
    return -1;
  }
  int truncate(int fd, off_t size) override { return real_.truncate(fd, size); }
  int allocate(int fd, off_t offset, off_t size) override {
    return real_.allocate(fd, offset, size);
  }
  int sync(int fd) override {
    if (!fail_next_sync.exchange(false)) return real_.sync(fd);
    errno = EIO;
    return -1;
  }
  int rename(int from_dir, const char* from, int to_dir, const char* to) override {
    return real_.rename(from_dir, from, to_dir, to);
  }
  int unlink(int dir, const char* name) override { return real_.unlink(dir, name); }

  std::atomic<bool> full = false;
  std::atomic<bool> fail_next_sync = false;

 private:
  storage::Disk& real_ = storage::system_disk();
};

}  // namespace convoy::test
