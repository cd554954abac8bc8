#include "security/ca/locked_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace convoy::security::detail {

using storage::Fd;

Error LockedFile::broken(std::string detail) const { return unavailable(code_, std::move(detail)); }

Result<LockedFile> LockedFile::open(const std::string& path, std::string_view code) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  LockedFile out(code);
  out.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  out.dir_ = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.dir_) return out.broken(storage::file_error(out.code_, folder, errno));
  auto lock = storage::open_file(out.dir_.get(), out.name_ + ".lock", O_RDWR | O_CREAT, code);
  if (!lock) return out.broken(lock.error());
  out.lock_ = std::move(*lock);
  while (::flock(out.lock_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return out.broken(storage::file_error(out.code_, "lock", errno));
  }
  return out;
}

Result<std::optional<Bytes>> LockedFile::read(std::size_t max_bytes) const {
  auto bytes = storage::read_whole(dir_.get(), name_, max_bytes, code_);
  if (!bytes && bytes.error().code() == "file_unknown") return std::optional<Bytes>();
  if (!bytes) return broken(bytes.error());
  return std::optional<Bytes>(std::move(*bytes));
}

Status LockedFile::write(std::string_view text) const {
  const int dir = dir_.get();
  auto done = storage::write_durably(dir, name_ + ".tmp", dir, name_, as_bytes(text), code_);
  if (done) done = storage::sync_fd(dir, code_);
  return done ? done : Status(broken(done.error()));
}

}  // namespace convoy::security::detail
