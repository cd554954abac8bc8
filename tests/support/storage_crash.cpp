#include "support/storage_crash.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace convoy::test {
namespace {

constexpr std::size_t kSector = 512;

ino_t inode_of(const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) throw std::runtime_error("no " + path);
  return st.st_ino;
}

void put(std::string& bytes, std::string_view part, std::size_t at) {
  if (bytes.size() < at + part.size()) bytes.resize(at + part.size());
  bytes.replace(at, part.size(), part);
}

/// Where the file system cannot, the file has none, as it had none before.
void take_room(const std::string& path, std::uint64_t room) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("open " + path);
  static_cast<void>(::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(room)));
  ::close(fd);
}

}  // namespace

DiskLog::DiskLog(const std::string& root) { nodes_[inode_of(root)] = 0; }

DiskLog::DiskLog(const DiskLog& before, std::size_t length, const std::string& root) {
  const std::lock_guard lock(before.mutex_);
  operations_.assign(before.operations_.begin(),
                     before.operations_.begin() + static_cast<std::ptrdiff_t>(length));
  directories_ = before.directories_;
  adopt(before.tree_after(length, Lost::nothing, 0), 0, root);
}

std::size_t DiskLog::size() const {
  const std::lock_guard lock(mutex_);
  return operations_.size();
}

bool DiskLog::sync_is_due(std::size_t length) const {
  const std::lock_guard lock(mutex_);
  return length < operations_.size() && operations_[length].kind == Kind::sync;
}

void DiskLog::add(Operation operation) { operations_.push_back(std::move(operation)); }

int DiskLog::node_of(int fd) const {
  struct stat st{};
  if (::fstat(fd, &st) != 0) throw std::runtime_error("fstat");
  const auto it = nodes_.find(st.st_ino);
  if (it == nodes_.end()) throw std::runtime_error("a file that the log does not know");
  return it->second;
}

void DiskLog::created(int dir, const std::string& name, bool directory) {
  const std::lock_guard lock(mutex_);
  struct stat st{};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) throw std::runtime_error(name);
  const int node = static_cast<int>(directories_.size());
  directories_.push_back(directory);
  nodes_[st.st_ino] = node;
  add({Kind::create, node_of(dir), node, name, {}, 0});
}

void DiskLog::wrote(int fd, std::string_view bytes, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  add({Kind::write, node_of(fd), -1, std::string(bytes), {}, offset});
}

void DiskLog::truncated(int fd, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  add({Kind::truncate, node_of(fd), -1, {}, {}, size});
}

void DiskLog::allocated(int fd, std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  add({Kind::allocate, node_of(fd), -1, {}, {}, offset + size});
}

void DiskLog::synced(int fd) {
  const std::lock_guard lock(mutex_);
  add({Kind::sync, node_of(fd), -1, {}, {}, 0});
}

void DiskLog::renamed(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  const std::lock_guard lock(mutex_);
  add({Kind::rename, node_of(from_dir), node_of(to_dir), from, to, 0});
}

void DiskLog::unlinked(int dir, const std::string& name) {
  const std::lock_guard lock(mutex_);
  add({Kind::unlink, node_of(dir), -1, name, {}, 0});
}

std::vector<bool> DiskLog::kept_names(std::size_t length, Lost lost,
                                      std::mt19937_64& random) const {
  std::vector<bool> kept(length, lost == Lost::nothing);
  if (lost == Lost::nothing) return kept;
  std::vector<bool> synced_later(directories_.size(), false);
  for (std::size_t i = length; i-- > 0;) {
    const Operation& op = operations_[i];
    if (op.kind == Kind::sync) synced_later[static_cast<std::size_t>(op.node)] = true;
    if (op.kind == Kind::create || op.kind == Kind::unlink || op.kind == Kind::rename) {
      kept[i] = synced_later[static_cast<std::size_t>(op.node)] ||
                (op.kind == Kind::rename && synced_later[static_cast<std::size_t>(op.other)]);
    }
  }
  if (lost == Lost::everything) return kept;
  std::vector<bool> stuck(directories_.size(), false);
  for (std::size_t i = 0; i < length; ++i) {
    const Operation& op = operations_[i];
    if (kept[i] || (op.kind != Kind::create && op.kind != Kind::unlink && op.kind != Kind::rename))
      continue;
    const auto dir = static_cast<std::size_t>(op.node);
    const auto other = op.kind == Kind::rename ? static_cast<std::size_t>(op.other) : dir;
    kept[i] = !stuck[dir] && !stuck[other] && random() % 2 == 0;
    if (!kept[i]) stuck[dir] = stuck[other] = true;
  }
  return kept;
}

DiskLog::Tree DiskLog::tree_after(std::size_t length, Lost lost, std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  const auto kept = kept_names(length, lost, random);
  std::vector<std::size_t> last_sync(directories_.size(), 0);
  for (std::size_t i = 0; i < length; ++i) {
    if (operations_[i].kind == Kind::sync)
      last_sync[static_cast<std::size_t>(operations_[i].node)] = i + 1;
  }
  Tree tree(directories_.size());
  for (std::size_t i = 0; i < tree.size(); ++i) tree[i].directory = directories_[i];
  std::map<std::pair<int, std::string>, int> now;  // names as the process saw them
  for (std::size_t i = 0; i < length; ++i) {
    const Operation& op = operations_[i];
    Node& node = tree[static_cast<std::size_t>(op.node)];
    const bool sure = i < last_sync[static_cast<std::size_t>(op.node)] || lost == Lost::nothing;
    switch (op.kind) {
      case Kind::create:
        now[{op.node, op.name}] = op.other;
        if (kept[i]) node.names[op.name] = op.other;
        break;
      case Kind::rename: {
        const int moved = now[{op.node, op.name}];
        now.erase({op.node, op.name});
        now[{op.other, op.new_name}] = moved;
        if (!kept[i]) break;
        node.names.erase(op.name);
        tree[static_cast<std::size_t>(op.other)].names[op.new_name] = moved;
        break;
      }
      case Kind::unlink:
        now.erase({op.node, op.name});
        if (kept[i]) node.names.erase(op.name);
        break;
      case Kind::truncate:
        if (sure || (lost == Lost::some && random() % 2 == 0)) {
          node.bytes.resize(op.at);
          node.room = std::min(node.room, op.at);
        }
        break;
      case Kind::allocate:
        if (sure || (lost == Lost::some && random() % 2 == 0))
          node.room = std::max(node.room, op.at);
        break;
      case Kind::write:
        if (sure) {
          put(node.bytes, op.name, op.at);
        } else if (lost == Lost::some) {
          for (std::size_t from = 0; from < op.name.size(); from += kSector) {
            if (random() % 3 != 0)
              put(node.bytes, std::string_view(op.name).substr(from, kSector), op.at + from);
          }
        }
        break;
      case Kind::sync:
        break;
    }
  }
  return tree;
}

void DiskLog::write_out(const Tree& tree, int number, const std::string& path) const {
  const Node& node = tree[static_cast<std::size_t>(number)];
  if (!node.directory) {
    std::ofstream out(path, std::ios::binary);
    out.write(node.bytes.data(), static_cast<std::streamsize>(node.bytes.size()));
    out.close();
    if (node.room > node.bytes.size()) take_room(path, node.room);
    return;
  }
  if (::mkdir(path.c_str(), 0700) != 0) throw std::runtime_error("mkdir " + path);
  for (const auto& [name, child] : node.names) write_out(tree, child, path + "/" + name);
}

void DiskLog::adopt(const Tree& tree, int number, const std::string& path) {
  nodes_[inode_of(path)] = number;
  for (const auto& [name, child] : tree[static_cast<std::size_t>(number)].names)
    adopt(tree, child, path + "/" + name);
}

void DiskLog::materialise(std::size_t length, Lost lost, std::uint64_t seed,
                          const std::string& root) const {
  const std::lock_guard lock(mutex_);
  write_out(tree_after(length, lost, seed), 0, root);
}

int LoggedDisk::open(int dir, const char* name, int flags, mode_t mode) {
  struct stat st{};
  const bool there = ::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
  const int fd = ::openat(dir, name, flags, mode);
  if (fd < 0) return fd;
  if (!there) log_->created(dir, name, false);
  if (there && (flags & O_TRUNC) != 0) log_->truncated(fd, 0);
  return fd;
}

int LoggedDisk::make_directory(int dir, const char* name, mode_t mode) {
  const int result = ::mkdirat(dir, name, mode);
  if (result == 0) log_->created(dir, name, true);
  return result;
}

ssize_t LoggedDisk::write(int fd, const void* bytes, std::size_t size, off_t offset) {
  const ssize_t n = ::pwrite(fd, bytes, size, offset);
  if (n > 0) {
    log_->wrote(fd, {static_cast<const char*>(bytes), static_cast<std::size_t>(n)},
                static_cast<std::uint64_t>(offset));
  }
  return n;
}

int LoggedDisk::truncate(int fd, off_t size) {
  const int result = ::ftruncate(fd, size);
  if (result == 0) log_->truncated(fd, static_cast<std::uint64_t>(size));
  return result;
}

int LoggedDisk::allocate(int fd, off_t offset, off_t size) {
  const int result = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
  if (result == 0) {
    log_->allocated(fd, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size));
  }
  return result;
}

int LoggedDisk::sync(int fd) {
  if (syncs_before_failure >= 0 && syncs_before_failure-- == 0) {
    errno = EIO;
    return -1;
  }
  log_->synced(fd);  // the disk that matters is the log's
  return 0;
}

int LoggedDisk::rename(int from_dir, const char* from, int to_dir, const char* to) {
  const int result = ::renameat(from_dir, from, to_dir, to);
  if (result == 0) log_->renamed(from_dir, from, to_dir, to);
  return result;
}

int LoggedDisk::unlink(int dir, const char* name) {
  const int result = ::unlinkat(dir, name, 0);
  if (result == 0) log_->unlinked(dir, name);
  return result;
}

}  // namespace convoy::test
