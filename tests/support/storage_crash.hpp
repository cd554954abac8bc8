#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "storage/blob/disk.hpp"

namespace convoy::test {

/// What a crash leaves of what was written since it was last synced.
enum class Lost : std::uint8_t {
  nothing,     ///< kill -9: the kernel has it all
  some,        ///< power went: any of it, writes torn in sectors, names in any order of directories
  everything,  ///< power went, and nothing unsynced had been written back
};

/// All that was done to the files below one directory, in order. A name is durable only after an
/// fsync of its directory, bytes and room taken ahead only after one of their file; a rename is
/// atomic; the names of one directory become durable in order. Safe from any thread.
class DiskLog {
 public:
  /// `root`: an empty directory, durable itself.
  explicit DiskLog(const std::string& root);
  /// Goes on after a crash in the tree that `materialise` made at `root` of `before`.
  DiskLog(const DiskLog& before, std::size_t length, const std::string& root);

  std::size_t size() const;
  /// Whether a sync comes behind the first `length` operations.
  bool sync_is_due(std::size_t length) const;
  /// The tree as after a crash behind the first `length` operations, made at `root`, which must
  /// not exist.
  void materialise(std::size_t length, Lost, std::uint64_t seed, const std::string& root) const;

  // Each tells of a call that succeeded.
  void created(int dir, const std::string& name, bool directory);
  void wrote(int fd, std::string_view bytes, std::uint64_t offset);
  void truncated(int fd, std::uint64_t size);
  void allocated(int fd, std::uint64_t offset, std::uint64_t size);
  void synced(int fd);
  void renamed(int from_dir, const std::string& from, int to_dir, const std::string& to);
  void unlinked(int dir, const std::string& name);

 private:
  enum class Kind : std::uint8_t { create, write, truncate, allocate, sync, rename, unlink };
  struct Operation {
    Kind kind;
    int node = -1;     // of the file, or of the directory of `name`
    int other = -1;    // the target's directory, or what was created
    std::string name;  // or the bytes
    std::string new_name;
    std::uint64_t at = 0;
  };
  struct Node {
    bool directory = false;
    std::string bytes;
    std::uint64_t room = 0;  // taken up to here
    std::map<std::string, int> names;
  };
  using Tree = std::vector<Node>;

  Tree tree_after(std::size_t length, Lost, std::uint64_t seed) const;
  std::vector<bool> kept_names(std::size_t length, Lost, std::mt19937_64&) const;
  void write_out(const Tree&, int node, const std::string& path) const;
  void adopt(const Tree&, int node, const std::string& path);
  int node_of(int fd) const;
  void add(Operation);

  mutable std::mutex mutex_;
  std::vector<Operation> operations_;
  std::vector<bool> directories_{true};  // by node; 0 is the root
  std::map<ino_t, int> nodes_;
};

/// A disk whose changes are in the log.
class LoggedDisk final : public storage::Disk {
 public:
  explicit LoggedDisk(DiskLog& log) : log_(&log) {}
  int open(int dir, const char* name, int flags, mode_t mode) override;
  int make_directory(int dir, const char* name, mode_t mode) override;
  ssize_t write(int fd, const void* bytes, std::size_t size, off_t offset) override;
  int truncate(int fd, off_t size) override;
  int allocate(int fd, off_t offset, off_t size) override;
  int sync(int fd) override;
  int rename(int from_dir, const char* from, int to_dir, const char* to) override;
  int unlink(int dir, const char* name) override;

  /// The next this many syncs succeed; the one after fails with EIO. Negative: none fails.
  int syncs_before_failure = -1;

 private:
  DiskLog* log_;
};

/// While it lives, each SQLite database that is opened writes through the log.
class LoggedSqlite {
 public:
  explicit LoggedSqlite(DiskLog& log);
  LoggedSqlite(const LoggedSqlite&) = delete;
  LoggedSqlite& operator=(const LoggedSqlite&) = delete;
  ~LoggedSqlite();

 private:
  struct Vfs;
  Vfs* vfs_;
};

}  // namespace convoy::test
