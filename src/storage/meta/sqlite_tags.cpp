#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {

Result<std::vector<std::string>> SqliteRegistryMeta::tags(const oci::RepoName& repo,
                                                          const std::string& last,
                                                          std::size_t limit) {
  return pool_->read([&](Database& db) -> Result<std::vector<std::string>> {
    CONVOY_TRY(id, find_repository(db, repo));
    if (*id == kNoRepository) return not_found("name_unknown");
    const std::string after = folded(last);
    CONVOY_TRY(query, db.query("SELECT name FROM tags WHERE repository_id=?"
                               " AND (folded,name)>(?,?) ORDER BY folded,name LIMIT ?"));
    query->bind(*id).bind(after).bind(last).bind(static_cast<std::int64_t>(limit));
    return first_column(*query);
  });
}

Status SqliteRegistryMeta::delete_tag(const oci::RepoName& repo, const oci::Tag& tag) {
  return pool_->write([&](Database& db) -> Status {
    CONVOY_TRY(id, find_repository(db, repo));
    CONVOY_TRY(before, tagged(db, *id, tag.str()));
    if (before->empty()) return not_found("manifest_unknown");
    if (guarded(repo, tag.str())) return denied("tag_immutable", tag.str());
    CONVOY_TRY(
        done, delete_rows(db, "DELETE FROM tags WHERE repository_id=? AND name=?", *id, tag.str()));
    return touch_manifest(db, *id, *before, clock_.wall());
  });
}

Result<std::vector<std::string>> SqliteRegistryMeta::repositories(const std::string& last,
                                                                  std::size_t limit) {
  return pool_->read([&](Database& db) -> Result<std::vector<std::string>> {
    CONVOY_TRY(query, db.query("SELECT name FROM repositories WHERE name>? ORDER BY name LIMIT ?"));
    query->bind(last).bind(static_cast<std::int64_t>(limit));
    return first_column(*query);
  });
}

}  // namespace convoy::storage
