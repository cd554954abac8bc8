#include "storage/blob/posix_file.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace convoy::storage {
namespace {

Status check_private(int fd, const std::string& name) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return file_error("store_open", name, errno);
  if (st.st_uid != ::geteuid()) {
    return denied("store_open", name + " belongs to another user");
  }
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return denied("store_open", name + " may be written to by others: chmod go-w it");
  }
  return {};
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Error file_error(std::string code, std::string_view what, int error_number) {
  std::string detail = std::string(what) + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return exhausted("disk_full", std::move(detail));
  }
  return internal_error(std::move(code), std::move(detail));
}

Result<Fd> open_root(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return file_error("store_open", path, errno);
  }
  Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir) return file_error("store_open", path, errno);
  if (auto ok = check_private(dir.get(), path); !ok) return std::move(ok).error();
  return dir;
}

Result<Fd> open_subdir(int dir, const std::string& name, Disk& disk) {
  const bool made = disk.make_directory(dir, name.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return file_error("store_open", name, errno);
  Fd sub(::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!sub) return file_error("store_open", name, errno);
  if (auto ok = check_private(sub.get(), name); !ok) return std::move(ok).error();
  if (made) {
    if (auto ok = sync_fd(dir, "store_open", disk); !ok) return std::move(ok).error();
  }
  return sub;
}

Result<Fd> open_file(int dir, const std::string& name, int flags, std::string_view code,
                     Disk& disk) {
  Fd fd(disk.open(dir, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!fd) {
    if (errno == ENOENT) return not_found("file_unknown", name);
    return file_error(std::string(code), name, errno);
  }
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return file_error(std::string(code), name, errno);
  if (!S_ISREG(st.st_mode)) return internal_error(std::string(code), name + " is no regular file");
  return fd;
}

Result<std::uint64_t> file_size(int fd, std::string_view code) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return file_error(std::string(code), "fstat", errno);
  return static_cast<std::uint64_t>(st.st_size);
}

Status write_all(int fd, std::uint64_t offset, ByteView bytes, std::string_view code, Disk& disk) {
  while (!bytes.empty()) {
    const ssize_t n = disk.write(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return file_error(std::string(code), "write", errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status read_exact(int fd, std::uint64_t offset, MutableByteView out, std::string_view code) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return file_error(std::string(code), "read", errno);
    }
    if (n == 0) return internal_error(std::string(code), "read past the end");
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

bool read_cached(int fd, std::uint64_t offset, MutableByteView out) {
  while (!out.empty()) {
    const iovec part{out.data(), out.size()};
    const ssize_t n = ::preadv2(fd, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    if (n <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

void write_pages_back(int fd, std::uint64_t offset, std::uint64_t length) {
  ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(length),
                    SYNC_FILE_RANGE_WRITE);
}

void give_pages_up(int fd, std::uint64_t offset, std::uint64_t length) {
  ::posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_DONTNEED);
}

Result<Bytes> read_whole(int dir, const std::string& name, std::size_t limit,
                         std::string_view code) {
  auto fd = open_file(dir, name, O_RDONLY, code);
  if (!fd) return std::move(fd).error();
  auto size = file_size(fd->get(), code);
  if (!size) return std::move(size).error();
  if (*size > limit) return internal_error(std::string(code), name + " is too large");
  Bytes out(static_cast<std::size_t>(*size));
  if (auto ok = read_exact(fd->get(), 0, out, code); !ok) return std::move(ok).error();
  return out;
}

Status sync_fd(int fd, std::string_view code, Disk& disk) {
  if (disk.sync(fd) != 0) return file_error(std::string(code), "fsync", errno);
  return {};
}

Status write_durably(int tmp_dir, const std::string& tmp_name, int dir, const std::string& name,
                     ByteView bytes, std::string_view code, Disk& disk) {
  auto fd = open_file(tmp_dir, tmp_name, O_WRONLY | O_CREAT | O_TRUNC, code, disk);
  if (!fd) return std::move(fd).error();
  Status done = write_all(fd->get(), 0, bytes, code, disk);
  if (done) done = sync_fd(fd->get(), code, disk);
  if (done) done = rename_file(tmp_dir, tmp_name, dir, name, code, disk);
  if (!done) remove_file(tmp_dir, tmp_name, disk);
  return done;
}

Status rename_file(int from_dir, const std::string& from, int to_dir, const std::string& to,
                   std::string_view code, Disk& disk) {
  if (disk.rename(from_dir, from.c_str(), to_dir, to.c_str()) != 0) {
    return file_error(std::string(code), "rename", errno);
  }
  return {};
}

bool exists(int dir, const std::string& name) {
  struct stat st{};
  return ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool exists(int dir, const std::string& name, std::uint64_t size) {
  struct stat st{};
  return ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
         static_cast<std::uint64_t>(st.st_size) == size;
}

bool remove_file(int dir, const std::string& name, Disk& disk) noexcept {
  return disk.unlink(dir, name.c_str()) == 0;
}

Result<std::vector<std::string>> list_directory(int dir, std::string_view code) {
  const int copy = ::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return file_error(std::string(code), "open directory", errno);
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), &::closedir);
  if (!stream) {
    ::close(copy);
    return file_error(std::string(code), "list directory", errno);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

Result<Fd> lock_root(int root) {
  auto fd = open_file(root, "lock", O_RDWR | O_CREAT, "store_open");
  if (!fd) return std::move(fd).error();
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return conflict("store_locked", "another process uses this directory");
    return file_error("store_open", "lock", errno);
  }
  return std::move(*fd);
}

}  // namespace convoy::storage
