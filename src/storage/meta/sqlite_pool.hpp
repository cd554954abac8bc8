#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/meta/sqlite_database.hpp"

namespace convoy::storage {

/// One writer connection under a mutex, and readers beside it (WAL). A database in memory has one
/// connection for both. Safe from any thread.
class DatabasePool {
 public:
  static Result<std::unique_ptr<DatabasePool>> open(const std::string& path);

  /// Runs `f(Database&)` as one durable write transaction; rolled back when it fails.
  template <class F>
  Status write(F f) {
    const std::lock_guard lock(writer_mutex_);
    return transact(f);
  }

  /// The same without waiting for the disk: a crash of the machine may lose it, one of the process
  /// does not.
  template <class F>
  Status write_lazily(F f) {
    const std::lock_guard lock(writer_mutex_);
    if (auto done = writer_->execute("PRAGMA synchronous=NORMAL"); !done) return done;
    Status done = transact(f);
    if (auto back = writer_->execute("PRAGMA synchronous=FULL"); !back) return back;
    return done;
  }

  /// Runs `f(Database&)` on a reader; `f` returns a Result.
  template <class F>
  auto read(F f) -> decltype(f(std::declval<Database&>())) {
    if (path_.empty()) {
      const std::lock_guard lock(writer_mutex_);
      return f(*writer_);
    }
    auto reader = take_reader();
    if (!reader) return std::move(reader).error();
    auto result = f(**reader);
    give_back(std::move(*reader));
    return result;
  }

 private:
  DatabasePool(std::string path, std::unique_ptr<Database> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  template <class F>
  Status transact(F& f) {
    auto transaction = Transaction::begin(*writer_);
    if (!transaction) return std::move(transaction).error();
    if (Status done = f(*writer_); !done) return done;
    return transaction->commit();
  }

  Result<std::unique_ptr<Database>> take_reader();
  void give_back(std::unique_ptr<Database>);

  std::string path_;  // empty for a database in memory
  std::mutex writer_mutex_;
  std::unique_ptr<Database> writer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Database>> readers_;
};

}  // namespace convoy::storage
