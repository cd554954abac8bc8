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
    // What collection, retention and quotas need: who names whom, when each was last of use, and
    // what each repository holds. `seen` counts in seconds of Unix time.
    R"sql(
ALTER TABLE repositories ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repository_blobs ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tags ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tags ADD COLUMN pulled INTEGER NOT NULL DEFAULT 0;
CREATE TABLE manifest_references (
  repository_id INTEGER NOT NULL REFERENCES repositories(id),
  target TEXT NOT NULL,
  body_id INTEGER NOT NULL,
  PRIMARY KEY (repository_id, target, body_id)
) WITHOUT ROWID;
CREATE INDEX manifest_references_by_body ON manifest_references(repository_id, body_id);
CREATE TABLE condemned (
  digest TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE quarantined (
  digest TEXT NOT NULL PRIMARY KEY,
  found INTEGER NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE upkeep_notes (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX repositories_by_use ON repositories(name, bytes);
UPDATE repository_blobs SET seen=CAST(strftime('%s','now') AS INTEGER);
UPDATE manifests SET seen=CAST(strftime('%s','now') AS INTEGER),
  pushed=CAST(strftime('%s','now') AS INTEGER),
  size=(SELECT length(b.body) FROM manifest_bodies b WHERE b.digest=manifests.digest);
UPDATE tags SET pushed=CAST(strftime('%s','now') AS INTEGER);
INSERT OR IGNORE INTO manifest_references(repository_id,target,body_id)
  SELECT m.repository_id, json_extract(j.value,'$.digest'), b.id
  FROM manifests m JOIN manifest_bodies b ON b.digest=m.digest
  JOIN json_each(CAST(b.body AS TEXT),'$.layers') j
  WHERE json_valid(CAST(b.body AS TEXT)) AND json_extract(j.value,'$.digest') IS NOT NULL;
INSERT OR IGNORE INTO manifest_references(repository_id,target,body_id)
  SELECT m.repository_id, json_extract(j.value,'$.digest'), b.id
  FROM manifests m JOIN manifest_bodies b ON b.digest=m.digest
  JOIN json_each(CAST(b.body AS TEXT),'$.manifests') j
  WHERE json_valid(CAST(b.body AS TEXT)) AND json_extract(j.value,'$.digest') IS NOT NULL;
INSERT OR IGNORE INTO manifest_references(repository_id,target,body_id)
  SELECT m.repository_id, json_extract(CAST(b.body AS TEXT),'$.config.digest'), b.id
  FROM manifests m JOIN manifest_bodies b ON b.digest=m.digest
  WHERE json_valid(CAST(b.body AS TEXT))
    AND json_extract(CAST(b.body AS TEXT),'$.config.digest') IS NOT NULL;
UPDATE repositories SET bytes=
  (SELECT COALESCE(SUM(size),0) FROM repository_blobs WHERE repository_id=repositories.id)
  + (SELECT COALESCE(SUM(size),0) FROM manifests WHERE repository_id=repositories.id);
CREATE TRIGGER blob_linked AFTER INSERT ON repository_blobs BEGIN
  UPDATE repositories SET bytes=bytes+NEW.size WHERE id=NEW.repository_id;
  DELETE FROM condemned WHERE digest=NEW.digest;
END;
CREATE TRIGGER blob_unlinked AFTER DELETE ON repository_blobs BEGIN
  UPDATE repositories SET bytes=bytes-OLD.size WHERE id=OLD.repository_id;
  INSERT OR IGNORE INTO condemned(digest) SELECT OLD.digest
    WHERE NOT EXISTS (SELECT 1 FROM repository_blobs WHERE digest=OLD.digest);
END;
CREATE TRIGGER manifest_stored AFTER INSERT ON manifests BEGIN
  UPDATE repositories SET bytes=bytes+NEW.size WHERE id=NEW.repository_id;
END;
CREATE TRIGGER manifest_removed AFTER DELETE ON manifests BEGIN
  UPDATE repositories SET bytes=bytes-OLD.size WHERE id=OLD.repository_id;
END;
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
  }
  // Written even when nothing changes: a process that was killed may have left commits in the log
  // that are not on the disk, and this one syncs them before anybody acts on what they say.
  const std::string mark = "PRAGMA user_version=" + std::to_string(kVersion);
  if (auto done = db.execute(mark.c_str()); !done) return done;
  return transaction->commit();
}

}  // namespace convoy::storage
