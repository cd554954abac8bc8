#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {

Status SqliteRegistryMeta::link_blob(const oci::RepoName& repo, const oci::Digest& digest,
                                     std::uint64_t size) {
  return pool_->write([&](Database& db) -> Status {
    const std::string text = digest.str();
    CONVOY_TRY(heal, db.query("DELETE FROM quarantined WHERE digest=?"));
    CONVOY_TRY(healed, heal->bind(text).run());
    return store_link(db, repo, text, static_cast<std::int64_t>(size));
  });
}

Result<std::uint64_t> SqliteRegistryMeta::mount_blob(const oci::RepoName& from,
                                                     const oci::RepoName& to,
                                                     const oci::Digest& digest) {
  std::uint64_t size = 0;
  auto done = pool_->write([&](Database& db) -> Status {
    const std::string text = digest.str();
    CONVOY_TRY(source, find_repository(db, from));
    CONVOY_TRY(found, find_blob(db, *source, text));
    if (!found->has_value()) return not_found("blob_unknown");
    size = static_cast<std::uint64_t>(**found);
    return store_link(db, to, text, **found);
  });
  if (!done) return std::move(done).error();
  return size;
}

Status SqliteRegistryMeta::hold_blob(const oci::RepoName& repo, const oci::Digest& digest,
                                     Duration older_than) {
  const std::string text = digest.str();
  const UnixTime now = clock_.wall();
  const auto before =
      seconds_of(now - std::chrono::duration_cast<std::chrono::seconds>(older_than));
  auto aged = pool_->read([&](Database& db) -> Result<bool> {
    CONVOY_TRY(query, db.query("SELECT b.seen<=?3 AND NOT EXISTS (SELECT 1"
                               " FROM manifest_references f WHERE f.repository_id=r.id"
                               " AND f.target=?2) FROM repositories r JOIN repository_blobs b"
                               " ON b.repository_id=r.id WHERE r.name=?1 AND b.digest=?2"));
    query->bind(repo.str()).bind(text).bind(before);
    CONVOY_TRY(row, number_of(*query));
    if (!row->has_value()) return not_found("blob_unknown");
    return **row != 0;
  });
  if (!aged) return std::move(aged).error();
  if (!*aged) return {};
  return pool_->write_lazily([&](Database& db) -> Status {
    CONVOY_TRY(id, find_repository(db, repo));
    CONVOY_TRY(query, db.query("UPDATE repository_blobs SET seen=MAX(seen,?3)"
                               " WHERE repository_id=?1 AND digest=?2"));
    CONVOY_TRY(done, query->bind(*id).bind(text).bind(seconds_of(now)).run());
    if (db.changes() == 0) return not_found("blob_unknown");
    return {};
  });
}

Result<bool> SqliteRegistryMeta::has_blob(const oci::RepoName& repo, const oci::Digest& digest) {
  auto size = blob_size(repo, digest);
  if (size) return true;
  if (size.error().kind() == ErrorClass::not_found) return false;
  return std::move(size).error();
}

Result<std::uint64_t> SqliteRegistryMeta::blob_size(const oci::RepoName& repo,
                                                    const oci::Digest& digest) {
  return pool_->read([&](Database& db) -> Result<std::uint64_t> {
    const std::string text = digest.str();
    CONVOY_TRY(query, db.query("SELECT b.size FROM repositories r JOIN repository_blobs b"
                               " ON b.repository_id=r.id WHERE r.name=?1 AND b.digest=?2"
                               " AND NOT EXISTS (SELECT 1 FROM quarantined WHERE digest=?2)"));
    query->bind(repo.str()).bind(text);
    CONVOY_TRY(size, number_of(*query));
    if (!size->has_value()) return not_found("blob_unknown");
    return static_cast<std::uint64_t>(**size);
  });
}

Result<std::vector<oci::RepoName>> SqliteRegistryMeta::repositories_with(const oci::Digest& digest,
                                                                         std::size_t limit) {
  return pool_->read([&](Database& db) -> Result<std::vector<oci::RepoName>> {
    const std::string text = digest.str();
    CONVOY_TRY(query, db.query("SELECT r.name FROM repository_blobs b JOIN repositories r"
                               " ON r.id=b.repository_id WHERE b.digest=?"
                               " ORDER BY b.repository_id LIMIT ?"));
    query->bind(text).bind(static_cast<std::int64_t>(limit));
    CONVOY_TRY(names, first_column(*query));
    std::vector<oci::RepoName> out;
    for (const auto& name : *names) {
      CONVOY_TRY(parsed, oci::RepoName::parse(name));
      out.push_back(std::move(*parsed));
    }
    return out;
  });
}

Status SqliteRegistryMeta::unlink_blob(const oci::RepoName& repo, const oci::Digest& digest) {
  return pool_->write([&](Database& db) -> Status {
    CONVOY_TRY(id, find_repository(db, repo));
    const std::string text = digest.str();
    CONVOY_TRY(done, delete_rows(db,
                                 "DELETE FROM repository_blobs WHERE repository_id=?"
                                 " AND digest=?",
                                 *id, text));
    if (db.changes() == 0) return not_found("blob_unknown");
    return {};
  });
}

Status SqliteRegistryMeta::store_link(Database& db, const oci::RepoName& repo,
                                      std::string_view digest, std::int64_t size) const {
  CONVOY_TRY(id, make_repository(db, repo));
  CONVOY_TRY(query, db.query("INSERT INTO repository_blobs(repository_id,digest,size,seen)"
                             " VALUES(?,?,?,?) ON CONFLICT(repository_id,digest)"
                             " DO UPDATE SET seen=MAX(seen,excluded.seen)"));
  query->bind(*id).bind(digest).bind(size);
  return query->bind(seconds_of(clock_.wall())).run();
}

}  // namespace convoy::storage
