#include <cstring>
#include <fcntl.h>
#include <new>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/storage_crash.hpp"

// A file system layer for SQLite between it and its own for Unix. What that one does on a sync (it
// syncs the directory of a fresh journal too) is told to the log as it is done there.
namespace convoy::test {
namespace {

/// Descriptors of a file and of its directory, for the log alone.
struct Watched {
  DiskLog* log = nullptr;
  int fd = -1;
  int dir = -1;
  bool fresh_journal = false;
};

struct File {
  sqlite3_file base;
  Watched watched;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* file_of(sqlite3_file* f) { return reinterpret_cast<File*>(f); }
sqlite3_file* real_of(sqlite3_file* f) { return file_of(f)->real(); }
const sqlite3_io_methods* methods_of(sqlite3_file* f) { return real_of(f)->pMethods; }

int close_file(sqlite3_file* f) {
  Watched& w = file_of(f)->watched;
  if (w.fd >= 0) ::close(w.fd);
  if (w.dir >= 0) ::close(w.dir);
  w = {};
  return methods_of(f)->xClose(real_of(f));
}
int read_file(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return methods_of(f)->xRead(real_of(f), to, n, at);
}
int write_file(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  const int rc = methods_of(f)->xWrite(real_of(f), from, n, at);
  const Watched& w = file_of(f)->watched;
  if (rc == SQLITE_OK && w.log != nullptr) {
    w.log->wrote(w.fd, {static_cast<const char*>(from), static_cast<std::size_t>(n)},
                 static_cast<std::uint64_t>(at));
  }
  return rc;
}
int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  const int rc = methods_of(f)->xTruncate(real_of(f), size);
  const Watched& w = file_of(f)->watched;
  if (rc == SQLITE_OK && w.log != nullptr) w.log->truncated(w.fd, static_cast<std::uint64_t>(size));
  return rc;
}
int sync_file(sqlite3_file* f, int) {
  Watched& w = file_of(f)->watched;
  if (w.log == nullptr) return SQLITE_OK;
  w.log->synced(w.fd);
  if (w.fresh_journal) w.log->synced(w.dir);
  w.fresh_journal = false;
  return SQLITE_OK;
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return methods_of(f)->xFileSize(real_of(f), size);
}
int lock_file(sqlite3_file* f, int level) { return methods_of(f)->xLock(real_of(f), level); }
int unlock_file(sqlite3_file* f, int level) { return methods_of(f)->xUnlock(real_of(f), level); }
int check_lock(sqlite3_file* f, int* out) {
  return methods_of(f)->xCheckReservedLock(real_of(f), out);
}
int control(sqlite3_file* f, int what, void* argument) {
  return methods_of(f)->xFileControl(real_of(f), what, argument);
}
int sector_size(sqlite3_file* f) { return methods_of(f)->xSectorSize(real_of(f)); }
/// None: SQLite may not lean on what this machine's file system promises.
int characteristics(sqlite3_file*) { return 0; }
int map_shared(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return methods_of(f)->xShmMap(real_of(f), page, size, extend, out);
}
int lock_shared(sqlite3_file* f, int offset, int n, int flags) {
  return methods_of(f)->xShmLock(real_of(f), offset, n, flags);
}
void shared_barrier(sqlite3_file* f) { methods_of(f)->xShmBarrier(real_of(f)); }
int unmap_shared(sqlite3_file* f, int remove) {
  return methods_of(f)->xShmUnmap(real_of(f), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read_file,
                                     write_file,
                                     truncate_file,
                                     sync_file,
                                     file_size,
                                     lock_file,
                                     unlock_file,
                                     check_lock,
                                     control,
                                     sector_size,
                                     characteristics,
                                     map_shared,
                                     lock_shared,
                                     shared_barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

struct LoggedSqlite::Vfs {
  sqlite3_vfs base{};
  sqlite3_vfs* real = nullptr;
  DiskLog* log = nullptr;

  static Vfs* of(sqlite3_vfs* vfs) { return static_cast<Vfs*>(vfs->pAppData); }
  static int open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* out, int flags, int* got);
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory);
};

int LoggedSqlite::Vfs::open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* out, int flags,
                            int* got) {
  Vfs* self = of(vfs);
  auto* file = new (out) File{};
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  const bool logged = path != nullptr && (flags & (kJournals | SQLITE_OPEN_MAIN_DB)) != 0;
  struct stat st{};
  const bool there = logged && ::stat(path, &st) == 0 && (st.st_size > 0 || (flags & kJournals));
  const int rc = self->real->xOpen(self->real, path, file->real(), flags, got);
  if (file->real()->pMethods != nullptr) out->pMethods = &kMethods;
  if (rc != SQLITE_OK || !logged) return rc;
  Watched& w = file->watched;
  w.log = self->log;
  w.fd = ::open(path, O_RDONLY | O_CLOEXEC);
  w.dir = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  w.fresh_journal = (flags & kJournals) != 0 && (flags & SQLITE_OPEN_CREATE) != 0;
  if (!there) w.log->created(w.dir, name_of(path), false);
  return rc;
}

int LoggedSqlite::Vfs::remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  Vfs* self = of(vfs);
  const int rc = self->real->xDelete(self->real, path, 0);
  if (rc != SQLITE_OK) return rc;
  const int dir = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  self->log->unlinked(dir, name_of(path));
  if (sync_directory != 0) self->log->synced(dir);
  ::close(dir);
  return rc;
}

LoggedSqlite::LoggedSqlite(DiskLog& log) : vfs_(new Vfs) {
  vfs_->real = sqlite3_vfs_find(nullptr);
  vfs_->log = &log;
  vfs_->base = *vfs_->real;
  vfs_->base.pNext = nullptr;
  vfs_->base.zName = "convoy-test";
  vfs_->base.szOsFile = static_cast<int>(sizeof(File)) + vfs_->real->szOsFile;
  vfs_->base.pAppData = vfs_;
  vfs_->base.xOpen = Vfs::open;
  vfs_->base.xDelete = Vfs::remove;
  sqlite3_vfs_register(&vfs_->base, 1);
}

LoggedSqlite::~LoggedSqlite() {
  sqlite3_vfs_unregister(&vfs_->base);
  sqlite3_vfs_register(vfs_->real, 1);
  delete vfs_;
}

}  // namespace convoy::test
