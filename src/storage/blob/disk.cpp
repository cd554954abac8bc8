#include "storage/blob/disk.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace convoy::storage {
namespace {

class SystemDisk final : public Disk {
 public:
  int open(int dir, const char* name, int flags, mode_t mode) override {
    return ::openat(dir, name, flags, mode);
  }
  int make_directory(int dir, const char* name, mode_t mode) override {
    return ::mkdirat(dir, name, mode);
  }
  ssize_t write(int fd, const void* bytes, std::size_t size, off_t offset) override {
    return ::pwrite(fd, bytes, size, offset);
  }
  int truncate(int fd, off_t size) override { return ::ftruncate(fd, size); }
  int allocate(int fd, off_t offset, off_t size) override {
    return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
  }
  int sync(int fd) override { return ::fsync(fd); }
  int rename(int from_dir, const char* from, int to_dir, const char* to) override {
    return ::renameat(from_dir, from, to_dir, to);
  }
  int unlink(int dir, const char* name) override { return ::unlinkat(dir, name, 0); }
};

}  // namespace

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

}  // namespace convoy::storage
