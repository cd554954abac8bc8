#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {
namespace {

Result<StoredManifest> read_manifest(Query& query) {
  CONVOY_TRY(row, query.step());
  if (!*row) return not_found("manifest_unknown");
  CONVOY_TRY(digest, oci::Digest::parse(query.text(0)));
  return StoredManifest{*digest, query.text(1), query.text(2)};
}

Result<StoredManifest> manifest_by_tag(Database& db, std::int64_t repository, const oci::Tag& tag) {
  CONVOY_TRY(query,
             db.query("SELECT m.digest, m.media_type, b.body FROM tags t"
                      " JOIN manifests m ON m.repository_id=t.repository_id AND m.digest=t.digest"
                      " JOIN manifest_bodies b ON b.digest=m.digest"
                      " WHERE t.repository_id=? AND t.name=?"));
  query->bind(repository).bind(tag.str());
  return read_manifest(*query);
}

Result<StoredManifest> manifest_by_digest(Database& db, std::int64_t repository,
                                          const oci::Digest& digest) {
  const std::string text = digest.str();
  CONVOY_TRY(query, db.query("SELECT m.digest, m.media_type, b.body FROM manifests m"
                             " JOIN manifest_bodies b ON b.digest=m.digest"
                             " WHERE m.repository_id=? AND m.digest=?"));
  query->bind(repository).bind(text);
  return read_manifest(*query);
}

Result<std::vector<Referrer>> read_referrers(Query& query, std::size_t bytes) {
  std::vector<Referrer> out;
  std::size_t read = 0;
  while (read <= bytes || out.size() < 2) {
    CONVOY_TRY(row, query.step());
    if (!*row) return out;
    CONVOY_TRY(digest, oci::Digest::parse(query.text(0)));
    out.push_back({*digest, query.text(1), static_cast<std::uint64_t>(query.number(2)),
                   query.text(3), query.text(4)});
    read += out.back().annotations_json.size();
  }
  return out;
}

}  // namespace

Result<StoredManifest> SqliteRegistryMeta::get_manifest(const oci::RepoName& repo,
                                                        const oci::Reference& reference) {
  return pool_->read([&](Database& db) -> Result<StoredManifest> {
    CONVOY_TRY(id, find_repository(db, repo));
    if (*id == kNoRepository) return not_found("name_unknown");
    if (const auto* tag = std::get_if<oci::Tag>(&reference)) return manifest_by_tag(db, *id, *tag);
    return manifest_by_digest(db, *id, std::get<oci::Digest>(reference));
  });
}

Result<bool> SqliteRegistryMeta::has_manifest(const oci::RepoName& repo,
                                              const oci::Digest& digest) {
  return pool_->read([&](Database& db) -> Result<bool> {
    const std::string text = digest.str();
    CONVOY_TRY(query, db.query("SELECT 1 FROM repositories r JOIN manifests m"
                               " ON m.repository_id=r.id WHERE r.name=? AND m.digest=?"));
    query->bind(repo.str()).bind(text);
    return query->step();
  });
}

Status SqliteRegistryMeta::delete_manifest(const oci::RepoName& repo, const oci::Digest& digest) {
  return pool_->write([&](Database& db) -> Status {
    const std::string text = digest.str();
    CONVOY_TRY(id, find_repository(db, repo));
    if (guard_) {
      CONVOY_TRY(query, db.query("SELECT name FROM tags WHERE repository_id=? AND digest=?"));
      query->bind(*id).bind(text);
      CONVOY_TRY(names, first_column(*query));
      for (const auto& name : *names) {
        if (guarded(repo, name)) return denied("tag_immutable", name);
      }
    }
    const UnixTime now = clock_.wall();
    CONVOY_TRY(removed, remove_manifest(db, *id, text, {now, now}));
    if (!*removed) return not_found("manifest_unknown");
    return {};
  });
}

Status SqliteRegistryMeta::note_pull(const oci::RepoName& repo, const oci::Digest& digest,
                                     const std::optional<oci::Tag>& tag) {
  return pool_->write_lazily([&](Database& db) -> Status {
    const std::string text = digest.str();
    const UnixTime now = clock_.wall();
    CONVOY_TRY(id, find_repository(db, repo));
    CONVOY_TRY(done, touch_manifest(db, *id, text, now));
    if (!tag) return {};
    CONVOY_TRY(query, db.query("UPDATE tags SET pulled=MAX(pulled,?3)"
                               " WHERE repository_id=?1 AND name=?2"));
    return query->bind(*id).bind(tag->str()).bind(seconds_of(now)).run();
  });
}

Result<std::vector<Referrer>> SqliteRegistryMeta::referrers(const oci::RepoName& repo,
                                                            const oci::Digest& subject,
                                                            const ReferrerQuery& which) {
  return pool_->read([&](Database& db) -> Result<std::vector<Referrer>> {
    CONVOY_TRY(id, find_repository(db, repo));
    const std::string text = subject.str();
    CONVOY_TRY(query, db.query("SELECT digest,media_type,size,artifact_type,annotations"
                               " FROM referrers WHERE repository_id=?1 AND subject=?2"
                               " AND digest>?3 AND (?4='' OR artifact_type=?4)"
                               " ORDER BY digest LIMIT ?5"));
    query->bind(*id).bind(text).bind(which.after).bind(which.artifact_type);
    query->bind(static_cast<std::int64_t>(which.limit));
    return read_referrers(*query, which.bytes);
  });
}

}  // namespace convoy::storage
