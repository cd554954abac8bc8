#include "base/log.hpp"
#include "storage/meta/registry_meta.hpp"
#include "storage/meta/sqlite_rows.hpp"
#include "storage/meta/sqlite_upkeep.hpp"

namespace convoy::storage {
namespace {

Result<std::int64_t> make_repository(Database& db, const oci::RepoName& name) {
  CONVOY_TRY(id, find_repository(db, name));
  if (*id != kNoRepository) return id;
  CONVOY_TRY(query, db.query("INSERT INTO repositories(name) VALUES(?)"));
  query->bind(name.str());
  CONVOY_TRY(done, query->run());
  return db.last_row();
}

Result<std::optional<std::int64_t>> find_blob(Database& db, std::int64_t repository,
                                              std::string_view digest) {
  CONVOY_TRY(query,
             db.query("SELECT size FROM repository_blobs WHERE repository_id=?1 AND digest=?2"
                      " AND NOT EXISTS (SELECT 1 FROM quarantined WHERE digest=?2)"));
  query->bind(repository).bind(digest);
  return number_of(*query);
}

Result<bool> has_manifest(Database& db, std::int64_t repository, std::string_view digest) {
  CONVOY_TRY(query, db.query("SELECT 1 FROM manifests WHERE repository_id=? AND digest=?"));
  query->bind(repository).bind(digest);
  CONVOY_TRY(found, number_of(*query));
  return found->has_value();
}

Error missing(const oci::Descriptor& d) {
  return not_found("manifest_blob_unknown", d.digest.str());
}

Status check_blob(Database& db, std::int64_t repository, const oci::Descriptor& d) {
  CONVOY_TRY(size, find_blob(db, repository, d.digest.str()));
  if (!size->has_value()) return missing(d);
  return {};
}

/// An index may list manifests and, as build caches do, blobs.
Status check_child(Database& db, std::int64_t repository, const oci::Descriptor& d) {
  CONVOY_TRY(found, has_manifest(db, repository, d.digest.str()));
  if (*found) return {};
  if (oci::is_manifest_media_type(d.media_type)) return missing(d);
  return check_blob(db, repository, d);
}

Status check_references(Database& db, std::int64_t repository, const oci::Manifest& manifest) {
  if (manifest.may_miss == oci::MayMiss::anything) return {};
  if (manifest.config) {
    CONVOY_TRY(ok, check_blob(db, repository, *manifest.config));
  }
  for (const auto& layer : manifest.layers) {
    if (oci::is_foreign(layer)) continue;
    CONVOY_TRY(ok, check_blob(db, repository, layer));
  }
  if (manifest.may_miss == oci::MayMiss::children) return {};
  for (const auto& child : manifest.manifests) {
    CONVOY_TRY(ok, check_child(db, repository, child));
  }
  return {};
}

Status store_body(Database& db, const StoredManifest& manifest, std::string_view digest) {
  CONVOY_TRY(query, db.query("INSERT INTO manifest_bodies(digest,body) VALUES(?,?)"
                             " ON CONFLICT(digest) DO NOTHING"));
  return query->bind(digest).bind_blob(manifest.body).run();
}

Status store_manifest(Database& db, std::int64_t repository, const StoredManifest& manifest,
                      std::string_view digest, UnixTime now) {
  CONVOY_TRY(query, db.query("INSERT INTO manifests(repository_id,digest,media_type,size,pushed,"
                             "seen) VALUES(?1,?2,?3,?4,?5,?5)"
                             " ON CONFLICT(repository_id,digest) DO UPDATE SET"
                             " media_type=excluded.media_type,pushed=excluded.pushed,"
                             " seen=excluded.seen"));
  query->bind(repository).bind(digest).bind(manifest.media_type);
  query->bind(static_cast<std::int64_t>(manifest.body.size()));
  return query->bind(seconds_of(now)).run();
}

/// Who is named by the manifest, so that collection finds it by an index.
Status store_references(Database& db, std::int64_t repository, const oci::Manifest& parsed,
                        std::string_view digest) {
  CONVOY_TRY(body, db.query("SELECT id FROM manifest_bodies WHERE digest=?"));
  body->bind(digest);
  CONVOY_TRY(id, number_of(*body));
  const auto store = [&](const oci::Descriptor& d) -> Status {
    const std::string target = d.digest.str();
    CONVOY_TRY(query, db.query("INSERT OR IGNORE INTO manifest_references(repository_id,target,"
                               "body_id) VALUES(?,?,?)"));
    return query->bind(repository).bind(target).bind(id->value_or(0)).run();
  };
  if (parsed.config) {
    CONVOY_TRY(done, store(*parsed.config));
  }
  for (const auto* list : {&parsed.layers, &parsed.manifests}) {
    for (const auto& d : *list) {
      CONVOY_TRY(done, store(d));
    }
  }
  return {};
}

/// What a tag names, "" when it is not there.
Result<std::string> tagged(Database& db, std::int64_t repository, std::string_view tag) {
  CONVOY_TRY(query, db.query("SELECT digest FROM tags WHERE repository_id=? AND name=?"));
  query->bind(repository).bind(tag);
  CONVOY_TRY(row, query->step());
  return *row ? query->text(0) : std::string();
}

Status store_tag(Database& db, std::int64_t repository, const oci::Tag& tag,
                 std::string_view digest, UnixTime now) {
  const std::string key = folded(tag.str());
  CONVOY_TRY(query,
             db.query("INSERT INTO tags(repository_id,name,folded,digest,pushed) VALUES(?,?,?,?,?)"
                      " ON CONFLICT(repository_id,name) DO UPDATE SET digest=excluded.digest,"
                      " pushed=excluded.pushed"));
  return query->bind(repository).bind(tag.str()).bind(key).bind(digest).bind(seconds_of(now)).run();
}

std::string to_json(const std::map<std::string, std::string>& annotations) {
  std::string out = "{";
  for (const auto& [key, value] : annotations) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  }
  return out + '}';
}

Status store_referrer(Database& db, std::int64_t repository, const StoredManifest& manifest,
                      const oci::Manifest& parsed, std::string_view digest) {
  if (!parsed.subject) return {};
  std::string artifact_type = parsed.artifact_type;
  if (artifact_type.empty() && parsed.config) artifact_type = parsed.config->media_type;
  const std::string subject = parsed.subject->digest.str();
  const std::string annotations = to_json(parsed.annotations);
  CONVOY_TRY(query, db.query("INSERT INTO referrers(repository_id,subject,digest,media_type,size,"
                             "artifact_type,annotations) VALUES(?,?,?,?,?,?,?)"
                             " ON CONFLICT(repository_id,subject,digest) DO UPDATE SET"
                             " media_type=excluded.media_type"));
  query->bind(repository).bind(subject).bind(digest).bind(manifest.media_type);
  query->bind(static_cast<std::int64_t>(manifest.body.size()));
  return query->bind(artifact_type).bind(annotations).run();
}

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

Result<UploadRecord> read_upload(Query& query) {
  CONVOY_TRY(name, oci::RepoName::parse(query.text(1)));
  return UploadRecord{query.text(0), *name, query.text(2),
                      UnixTime(std::chrono::seconds(query.number(3)))};
}

class SqliteRegistryMeta final : public RegistryMeta {
 public:
  SqliteRegistryMeta(std::unique_ptr<DatabasePool> pool, const Clock* clock)
      : pool_(std::move(pool)),
        clock_(clock != nullptr ? *clock : system_clock_),
        upkeep_(make_sqlite_upkeep(*pool_, clock_, guard_)) {}

  RegistryUpkeep& upkeep() override { return *upkeep_; }
  void guard_tags(TagGuard guarded) override { guard_ = std::move(guarded); }

  Status link_blob(const oci::RepoName& repo, const oci::Digest& digest,
                   std::uint64_t size) override {
    return pool_->write([&](Database& db) -> Status {
      const std::string text = digest.str();
      CONVOY_TRY(heal, db.query("DELETE FROM quarantined WHERE digest=?"));
      CONVOY_TRY(healed, heal->bind(text).run());
      return store_link(db, repo, text, static_cast<std::int64_t>(size));
    });
  }

  Result<std::uint64_t> mount_blob(const oci::RepoName& from, const oci::RepoName& to,
                                   const oci::Digest& digest) override {
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

  Status hold_blob(const oci::RepoName& repo, const oci::Digest& digest,
                   Duration older_than) override {
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

  Status note_pull(const oci::RepoName& repo, const oci::Digest& digest,
                   const std::optional<oci::Tag>& tag) override {
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

  Result<bool> has_blob(const oci::RepoName& repo, const oci::Digest& digest) override {
    auto size = blob_size(repo, digest);
    if (size) return true;
    if (size.error().kind() == ErrorClass::not_found) return false;
    return std::move(size).error();
  }

  Result<std::uint64_t> blob_size(const oci::RepoName& repo, const oci::Digest& digest) override {
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

  Result<std::vector<oci::RepoName>> repositories_with(const oci::Digest& digest,
                                                       std::size_t limit) override {
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

  Status unlink_blob(const oci::RepoName& repo, const oci::Digest& digest) override {
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

  Status put_manifest(const oci::RepoName& repo, const StoredManifest& manifest,
                      const oci::Manifest& parsed, const std::vector<oci::Tag>& tags) override {
    return pool_->write([&](Database& db) -> Status {
      const std::string digest = manifest.digest.str();
      CONVOY_TRY(id, make_repository(db, repo));
      CONVOY_TRY(complete, check_references(db, *id, parsed));
      CONVOY_TRY(body, store_body(db, manifest, digest));
      const UnixTime now = clock_.wall();
      CONVOY_TRY(row, store_manifest(db, *id, manifest, digest, now));
      CONVOY_TRY(names, store_references(db, *id, parsed, digest));
      for (const auto& tag : tags) {
        CONVOY_TRY(before, tagged(db, *id, tag.str()));
        if (!before->empty() && *before != digest) {
          if (guarded(repo, tag.str())) return denied("tag_immutable", tag.str());
          CONVOY_TRY(touched, touch_manifest(db, *id, *before, now));
        }
        CONVOY_TRY(done, store_tag(db, *id, tag, digest, now));
      }
      return store_referrer(db, *id, manifest, parsed, digest);
    });
  }

  Result<StoredManifest> get_manifest(const oci::RepoName& repo,
                                      const oci::Reference& reference) override {
    return pool_->read([&](Database& db) -> Result<StoredManifest> {
      CONVOY_TRY(id, find_repository(db, repo));
      if (*id == kNoRepository) return not_found("name_unknown");
      if (const auto* tag = std::get_if<oci::Tag>(&reference))
        return manifest_by_tag(db, *id, *tag);
      return manifest_by_digest(db, *id, std::get<oci::Digest>(reference));
    });
  }

  Status delete_manifest(const oci::RepoName& repo, const oci::Digest& digest) override {
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

  Status delete_tag(const oci::RepoName& repo, const oci::Tag& tag) override {
    return pool_->write([&](Database& db) -> Status {
      CONVOY_TRY(id, find_repository(db, repo));
      CONVOY_TRY(before, tagged(db, *id, tag.str()));
      if (before->empty()) return not_found("manifest_unknown");
      if (guarded(repo, tag.str())) return denied("tag_immutable", tag.str());
      CONVOY_TRY(done, delete_rows(db, "DELETE FROM tags WHERE repository_id=? AND name=?", *id,
                                   tag.str()));
      return touch_manifest(db, *id, *before, clock_.wall());
    });
  }

  Result<std::vector<std::string>> tags(const oci::RepoName& repo, const std::string& last,
                                        std::size_t limit) override {
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

  Result<std::vector<std::string>> repositories(const std::string& last,
                                                std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<std::string>> {
      CONVOY_TRY(query,
                 db.query("SELECT name FROM repositories WHERE name>? ORDER BY name LIMIT ?"));
      query->bind(last).bind(static_cast<std::int64_t>(limit));
      return first_column(*query);
    });
  }

  Result<std::vector<Referrer>> referrers(const oci::RepoName& repo, const oci::Digest& subject,
                                          const ReferrerQuery& which) override {
    return pool_->read([&](Database& db) -> Result<std::vector<Referrer>> {
      CONVOY_TRY(id, find_repository(db, repo));
      const std::string text = subject.str();
      CONVOY_TRY(query, db.query("SELECT digest,media_type,size,artifact_type,annotations"
                                 " FROM referrers WHERE repository_id=?1 AND subject=?2"
                                 " AND digest>?3 AND (?4='' OR artifact_type=?4)"
                                 " ORDER BY digest LIMIT ?5"));
      query->bind(*id).bind(text).bind(which.after).bind(which.artifact_type);
      query->bind(static_cast<std::int64_t>(which.limit));
      return read_referrers(*query);
    });
  }

  Status put_upload(const UploadRecord& record) override {
    return pool_->write_lazily([&](Database& db) -> Status {
      CONVOY_TRY(query,
                 db.query("INSERT INTO uploads(id,repository,subject,started) VALUES(?,?,?,?)"));
      query->bind(record.id).bind(record.repository.str()).bind(record.subject);
      return query->bind(std::int64_t{record.started.time_since_epoch().count()}).run();
    });
  }

  Result<UploadRecord> upload(const std::string& id) override {
    return pool_->read([&](Database& db) -> Result<UploadRecord> {
      CONVOY_TRY(query, db.query("SELECT id,repository,subject,started FROM uploads WHERE id=?"));
      query->bind(id);
      CONVOY_TRY(row, query->step());
      if (!*row) return not_found("blob_upload_unknown");
      return read_upload(*query);
    });
  }

  Status delete_upload(const std::string& id) override {
    return pool_->write_lazily([&](Database& db) -> Status {
      CONVOY_TRY(query, db.query("DELETE FROM uploads WHERE id=?"));
      return query->bind(id).run();
    });
  }

  Result<std::vector<UploadRecord>> uploads() override {
    return pool_->read([&](Database& db) -> Result<std::vector<UploadRecord>> {
      CONVOY_TRY(query, db.query("SELECT id,repository,subject,started FROM uploads"));
      std::vector<UploadRecord> out;
      for (;;) {
        CONVOY_TRY(row, query->step());
        if (!*row) return out;
        CONVOY_TRY(record, read_upload(*query));
        out.push_back(std::move(*record));
      }
    });
  }

  Status remember_torrent(const std::string& cluster, const RememberedTorrent& torrent,
                          UnixTime seen) override {
    return pool_->write_lazily([&](Database& db) -> Status {
      const std::string digest = torrent.meta.digest.str();
      const std::string root = to_hex(torrent.meta.pieces_root);
      CONVOY_TRY(query, db.query("INSERT INTO torrents(cluster,short_hash,digest,size,"
                                 "piece_length,pieces_root,seen) VALUES(?,?,?,?,?,?,?)"
                                 " ON CONFLICT(cluster,short_hash) DO UPDATE SET"
                                 " seen=excluded.seen"));
      query->bind(cluster).bind(torrent.short_hex).bind(digest);
      query->bind(static_cast<std::int64_t>(torrent.meta.size));
      query->bind(std::int64_t{torrent.meta.piece_length}).bind(root);
      return query->bind(std::int64_t{seen.time_since_epoch().count()}).run();
    });
  }

  Result<std::vector<RememberedTorrent>> torrents(const std::string& cluster,
                                                  std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<RememberedTorrent>> {
      CONVOY_TRY(query, db.query("SELECT short_hash,digest,size,piece_length,pieces_root"
                                 " FROM torrents WHERE cluster=? ORDER BY seen DESC LIMIT ?"));
      query->bind(cluster).bind(static_cast<std::int64_t>(limit));
      return read_torrents(*query);
    });
  }

  Status forget_torrent(const std::string& cluster, const std::string& short_hex) override {
    return pool_->write_lazily([&](Database& db) -> Status {
      CONVOY_TRY(query, db.query("DELETE FROM torrents WHERE cluster=? AND short_hash=?"));
      return query->bind(cluster).bind(short_hex).run();
    });
  }

 private:
  static Result<std::vector<Referrer>> read_referrers(Query& query) {
    std::vector<Referrer> out;
    for (;;) {
      CONVOY_TRY(row, query.step());
      if (!*row) return out;
      CONVOY_TRY(digest, oci::Digest::parse(query.text(0)));
      out.push_back({*digest, query.text(1), static_cast<std::uint64_t>(query.number(2)),
                     query.text(3), query.text(4)});
    }
  }

  static Result<std::vector<RememberedTorrent>> read_torrents(Query& query) {
    std::vector<RememberedTorrent> out;
    for (;;) {
      CONVOY_TRY(row, query.step());
      if (!*row) return out;
      CONVOY_TRY(digest, oci::Digest::parse(query.text(1)));
      const auto root = hash256_from_hex(query.text(4));
      if (!root) return corrupt("database_corrupt", "pieces root");
      out.push_back({query.text(0),
                     {.digest = *digest,
                      .size = static_cast<std::uint64_t>(query.number(2)),
                      .piece_length = static_cast<std::uint32_t>(query.number(3)),
                      .pieces_root = *root}});
    }
  }

  bool guarded(const oci::RepoName& repo, const std::string& tag) const {
    return guard_ && guard_(repo, tag);
  }

  /// Makes the link, or its lease begin again.
  Status store_link(Database& db, const oci::RepoName& repo, std::string_view digest,
                    std::int64_t size) const {
    CONVOY_TRY(id, make_repository(db, repo));
    CONVOY_TRY(query, db.query("INSERT INTO repository_blobs(repository_id,digest,size,seen)"
                               " VALUES(?,?,?,?) ON CONFLICT(repository_id,digest)"
                               " DO UPDATE SET seen=MAX(seen,excluded.seen)"));
    query->bind(*id).bind(digest).bind(size);
    return query->bind(seconds_of(clock_.wall())).run();
  }

  SystemClock system_clock_;
  std::unique_ptr<DatabasePool> pool_;
  const Clock& clock_;
  TagGuard guard_;
  std::unique_ptr<RegistryUpkeep> upkeep_;
};

}  // namespace

Result<std::unique_ptr<RegistryMeta>> open_registry_meta(const std::string& path,
                                                         const Clock* clock) {
  auto pool = DatabasePool::open(path);
  if (!pool) return std::move(pool).error();
  return std::make_unique<SqliteRegistryMeta>(std::move(*pool), clock);
}

}  // namespace convoy::storage
