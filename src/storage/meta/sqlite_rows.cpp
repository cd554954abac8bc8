#include "storage/meta/sqlite_rows.hpp"

#include <algorithm>

namespace convoy::storage {

std::string folded(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

Result<std::int64_t> find_repository(Database& db, const oci::RepoName& name) {
  CONVOY_TRY(query, db.query("SELECT id FROM repositories WHERE name=?"));
  query->bind(name.str());
  CONVOY_TRY(row, query->step());
  return *row ? query->number(0) : kNoRepository;
}

Result<std::int64_t> make_repository(Database& db, const oci::RepoName& name) {
  CONVOY_TRY(id, find_repository(db, name));
  if (*id != kNoRepository) return id;
  CONVOY_TRY(query, db.query("INSERT INTO repositories(name) VALUES(?)"));
  query->bind(name.str());
  CONVOY_TRY(done, query->run());
  return db.last_row();
}

Result<std::optional<std::int64_t>> number_of(Query& query) {
  CONVOY_TRY(row, query.step());
  if (!*row) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(query.number(0));
}

Result<std::vector<std::string>> first_column(Query& query) {
  std::vector<std::string> out;
  for (;;) {
    CONVOY_TRY(row, query.step());
    if (!*row) return out;
    out.push_back(query.text(0));
  }
}

Status delete_rows(Database& db, const char* sql, std::int64_t repository, std::string_view text) {
  CONVOY_TRY(query, db.query(sql));
  return query->bind(repository).bind(text).run();
}

Result<std::optional<std::int64_t>> find_blob(Database& db, std::int64_t repository,
                                              std::string_view digest) {
  CONVOY_TRY(query,
             db.query("SELECT size FROM repository_blobs WHERE repository_id=?1 AND digest=?2"
                      " AND NOT EXISTS (SELECT 1 FROM quarantined WHERE digest=?2)"));
  query->bind(repository).bind(digest);
  return number_of(*query);
}

Result<std::string> tagged(Database& db, std::int64_t repository, std::string_view tag) {
  CONVOY_TRY(query, db.query("SELECT digest FROM tags WHERE repository_id=? AND name=?"));
  query->bind(repository).bind(tag);
  CONVOY_TRY(row, query->step());
  return *row ? query->text(0) : std::string();
}

Status touch_manifest(Database& db, std::int64_t repository, std::string_view digest,
                      UnixTime seen) {
  CONVOY_TRY(query, db.query("UPDATE manifests SET seen=MAX(seen,?3)"
                             " WHERE repository_id=?1 AND digest=?2"));
  return query->bind(repository).bind(digest).bind(seconds_of(seen)).run();
}

namespace {

Result<std::optional<std::int64_t>> body_of(Database& db, std::string_view digest) {
  CONVOY_TRY(query, db.query("SELECT id FROM manifest_bodies WHERE digest=?"));
  query->bind(digest);
  return number_of(*query);
}

/// Blobs, children and referrers that the manifest held.
Status touch_freed(Database& db, std::int64_t repository, std::string_view digest,
                   std::int64_t body, FreedSeen freed) {
  const auto blobs_at = seconds_of(freed.blobs);
  const auto at = seconds_of(freed.manifests);
  CONVOY_TRY(blobs, db.query("UPDATE repository_blobs SET seen=MAX(seen,?3) WHERE repository_id=?1"
                             " AND digest IN (SELECT target FROM manifest_references"
                             " WHERE repository_id=?1 AND body_id=?2)"));
  CONVOY_TRY(first, blobs->bind(repository).bind(body).bind(blobs_at).run());
  CONVOY_TRY(children, db.query("UPDATE manifests SET seen=MAX(seen,?3) WHERE repository_id=?1"
                                " AND digest IN (SELECT target FROM manifest_references"
                                " WHERE repository_id=?1 AND body_id=?2)"));
  CONVOY_TRY(second, children->bind(repository).bind(body).bind(at).run());
  CONVOY_TRY(referrers, db.query("UPDATE manifests SET seen=MAX(seen,?3) WHERE repository_id=?1"
                                 " AND digest IN (SELECT digest FROM referrers"
                                 " WHERE repository_id=?1 AND subject=?2)"));
  return referrers->bind(repository).bind(digest).bind(at).run();
}

}  // namespace

Result<bool> remove_manifest(Database& db, std::int64_t repository, std::string_view digest,
                             FreedSeen freed) {
  CONVOY_TRY(gone, delete_rows(db, "DELETE FROM manifests WHERE repository_id=? AND digest=?",
                               repository, digest));
  if (db.changes() == 0) return false;
  CONVOY_TRY(tags, delete_rows(db, "DELETE FROM tags WHERE repository_id=? AND digest=?",
                               repository, digest));
  CONVOY_TRY(rows, delete_rows(db, "DELETE FROM referrers WHERE repository_id=? AND digest=?",
                               repository, digest));
  CONVOY_TRY(body, body_of(db, digest));
  if (body->has_value()) {
    CONVOY_TRY(touched, touch_freed(db, repository, digest, **body, freed));
    CONVOY_TRY(query, db.query("DELETE FROM manifest_references WHERE repository_id=?"
                               " AND body_id=?"));
    CONVOY_TRY(names, query->bind(repository).bind(**body).run());
  }
  // Bodies are shared by repositories; the last one to go takes it along.
  CONVOY_TRY(last, db.query("DELETE FROM manifest_bodies WHERE digest=?1 AND NOT EXISTS"
                            " (SELECT 1 FROM manifests WHERE digest=?1)"));
  CONVOY_TRY(dropped, last->bind(digest).run());
  return true;
}

}  // namespace convoy::storage
