#include "storage/meta/sqlite_database.hpp"

#include <sqlite3.h>

namespace convoy::storage {
namespace {

constexpr int kBusyMilliseconds = 5000;

Error sqlite_error(sqlite3* db, int rc) {
  std::string detail = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return exhausted("disk_full", std::move(detail));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return unavailable("database_busy", std::move(detail));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return corrupt("database_corrupt", std::move(detail));
    default:
      return internal_error("database_error", std::move(detail));
  }
}

}  // namespace

Query::Query(Query&& other) noexcept
    : db_(other.db_), statement_(other.statement_), next_(other.next_) {
  other.statement_ = nullptr;
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::string_view text) {
  sqlite3_bind_text64(statement_, next_++, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Query& Query::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_, next_++, number);
  return *this;
}

Query& Query::bind_blob(std::string_view bytes) {
  sqlite3_bind_blob64(statement_, next_++, bytes.data() == nullptr ? "" : bytes.data(),
                      bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Query::step() {
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return sqlite_error(db_, rc);
}

Status Query::run() {
  auto more = step();
  if (!more) return std::move(more).error();
  return {};
}

std::string Query::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::int64_t Query::number(int column) const { return sqlite3_column_int64(statement_, column); }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, bool read_only) {
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Database> db(new Database(raw));
  if (rc != SQLITE_OK) {
    return internal_error("database_open", path + ": " + sqlite_error(raw, rc).detail());
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  const char* settings = read_only ? "PRAGMA query_only=ON; PRAGMA cache_size=-8192;"
                                   : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                     "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                                     "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;";
  if (auto done = db->execute(settings); !done) {
    return internal_error("database_open", path + ": " + done.error().detail());
  }
  return db;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Result<Query> Database::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int rc = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (rc != SQLITE_OK) return sqlite_error(db_, rc);
  }
  return Query(db_, statement);
}

Status Database::execute(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(db_, rc);
  return {};
}

int Database::changes() const { return sqlite3_changes(db_); }
std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(db_); }

Result<Transaction> Transaction::begin(Database& db) {
  if (auto done = db.execute("BEGIN IMMEDIATE"); !done) return std::move(done).error();
  return Transaction(db);
}

Transaction::Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }

Transaction::~Transaction() {
  // Nothing can be done about a failing rollback: SQLite rolls back when the connection closes.
  if (db_ != nullptr) static_cast<void>(db_->execute("ROLLBACK").ok());
}

Status Transaction::commit() {
  auto done = db_->execute("COMMIT");
  if (done) db_ = nullptr;
  return done;
}

}  // namespace convoy::storage
