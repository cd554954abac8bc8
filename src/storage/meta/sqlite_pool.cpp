#include "storage/meta/sqlite_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace convoy::storage {
namespace {

constexpr std::size_t kIdleReaders = 8;

/// SQLite makes files with the umask's mode; this one is made private first.
Status make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return internal_error("database_open", path);
  ::close(fd);
  return {};
}

}  // namespace

Result<std::unique_ptr<DatabasePool>> DatabasePool::open(const std::string& path) {
  const bool in_memory = path == ":memory:";
  if (!in_memory) {
    if (auto done = make_private(path); !done) return std::move(done).error();
  }
  auto writer = Database::open(path, false);
  if (!writer) return std::move(writer).error();
  if (auto done = migrate(**writer); !done) return std::move(done).error();
  return std::unique_ptr<DatabasePool>(
      new DatabasePool(in_memory ? std::string() : path, std::move(*writer)));
}

Result<std::unique_ptr<Database>> DatabasePool::take_reader() {
  {
    const std::lock_guard lock(readers_mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return Database::open(path_, true);
}

void DatabasePool::give_back(std::unique_ptr<Database> reader) {
  const std::lock_guard lock(readers_mutex_);
  if (readers_.size() < kIdleReaders) readers_.push_back(std::move(reader));
}

}  // namespace convoy::storage
