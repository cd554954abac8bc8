#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

// The thin shell around SQLite: one connection, its prepared statements, transactions. One thread
// at a time for each connection.
namespace convoy::storage {

/// A statement in use: bind, step, read columns. Reset when it goes out of scope, so that the
/// cached statement is free for the next use and no read transaction stays open.
class Query {
 public:
  Query(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Bound text must outlive the query: it is not copied.
  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);
  Query& bind_blob(std::string_view bytes);

  /// True: a row is there. False: done. Error "database_error", "database_busy", "disk_full".
  Result<bool> step();
  /// For statements without rows.
  Status run();

  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int next_ = 1;
};

class Database {
 public:
  /// Opens (and makes) the file; `read_only` connections never make one. Error "database_open".
  static Result<std::unique_ptr<Database>> open(const std::string& path, bool read_only);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// `sql` must be a literal: its address is the key of the statement cache.
  Result<Query> query(const char* sql);
  /// Several statements without parameters.
  Status execute(const char* sql);
  /// Rows changed by the last statement.
  int changes() const;
  std::int64_t last_row() const;

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

/// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database&);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

/// Brings the schema up to date by PRAGMA user_version, and makes durable what a killed process
/// left in the log. Error "database_newer".
Status migrate(Database&);

}  // namespace convoy::storage
