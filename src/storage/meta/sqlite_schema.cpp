#include "storage/meta/sqlite_database.hpp"

namespace convoy::storage {
namespace {

// Each entry takes the schema from its index to the next version. Entries never change once
// released; a change is a new entry.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE repository_blobs (
  repository_id INTEGER NOT NULL REFERENCES repositories(id),
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (repository_id, digest)
) WITHOUT ROWID;
CREATE INDEX repository_blobs_by_digest ON repository_blobs(digest, repository_id);
CREATE TABLE manifest_bodies (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL
);
CREATE TABLE manifests (
  repository_id INTEGER NOT NULL REFERENCES repositories(id),
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  PRIMARY KEY (repository_id, digest)
) WITHOUT ROWID;
CREATE INDEX manifests_by_digest ON manifests(digest);
CREATE TABLE tags (
  repository_id INTEGER NOT NULL REFERENCES repositories(id),
  name TEXT NOT NULL,
  folded TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX tags_in_order ON tags(repository_id, folded, name);
CREATE INDEX tags_by_digest ON tags(repository_id, digest);
CREATE TABLE referrers (
  repository_id INTEGER NOT NULL REFERENCES repositories(id),
  subject TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  artifact_type TEXT NOT NULL,
  annotations TEXT NOT NULL,
  PRIMARY KEY (repository_id, subject, digest)
) WITHOUT ROWID;
CREATE INDEX referrers_by_digest ON referrers(repository_id, digest);
CREATE TABLE uploads (
  id TEXT NOT NULL PRIMARY KEY,
  repository TEXT NOT NULL,
  subject TEXT NOT NULL,
  started INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE torrents (
  cluster TEXT NOT NULL,
  short_hash TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  piece_length INTEGER NOT NULL,
  pieces_root TEXT NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (cluster, short_hash)
) WITHOUT ROWID;
CREATE INDEX torrents_by_age ON torrents(cluster, seen);
)sql",
};
constexpr std::int64_t kVersion = std::size(kMigrations);

Result<std::int64_t> version(Database& db) {
  auto query = db.query("PRAGMA user_version");
  if (!query) return std::move(query).error();
  auto row = query->step();
  if (!row) return std::move(row).error();
  return query->number(0);
}

}  // namespace

Status migrate(Database& db) {
  auto transaction = Transaction::begin(db);
  if (!transaction) return std::move(transaction).error();
  auto have = version(db);
  if (!have) return std::move(have).error();
  if (*have > kVersion) {
    return conflict("database_newer", "it was made by a later version of Convoy");
  }
  for (auto v = *have; v < kVersion; ++v) {
    if (auto done = db.execute(kMigrations[v]); !done) return done;
    const std::string mark = "PRAGMA user_version=" + std::to_string(v + 1);
    if (auto done = db.execute(mark.c_str()); !done) return done;
  }
  return transaction->commit();
}

}  // namespace convoy::storage
