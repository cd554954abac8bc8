#include "storage/meta/sqlite_upkeep.hpp"

#include <algorithm>

#include "storage/meta/sqlite_rows.hpp"
#include "wire/json.hpp"

namespace convoy::storage {
namespace {

// A manifest that nothing in its repository holds.
#define CONVOY_UNHELD_MANIFEST                                              \
  " NOT EXISTS (SELECT 1 FROM tags t WHERE t.repository_id=m.repository_id" \
  " AND t.digest=m.digest)"                                                 \
  " AND NOT EXISTS (SELECT 1 FROM manifest_references r"                    \
  " WHERE r.repository_id=m.repository_id AND r.target=m.digest)"           \
  " AND NOT EXISTS (SELECT 1 FROM referrers f JOIN manifests s"             \
  " ON s.repository_id=f.repository_id AND s.digest=f.subject"              \
  " WHERE f.repository_id=m.repository_id AND f.digest=m.digest)"
#define CONVOY_UNNAMED_BLOB                          \
  " NOT EXISTS (SELECT 1 FROM manifest_references r" \
  " WHERE r.repository_id=b.repository_id AND r.target=b.digest)"

struct Candidate {
  std::int64_t repository = 0;
  std::string digest;
  std::uint64_t bytes = 0;
};

struct Page {
  std::vector<Candidate> candidates;
  std::size_t examined = 0;
  std::int64_t last_repository = 0;
  std::string last_digest;
};

/// Rows of (repository, digest, bytes, whether it may go) after the position.
Result<Page> read_page(Database& db, const char* sql, const WalkPosition& at,
                       const WalkRules& rules) {
  Page page;
  CONVOY_TRY(query, db.query(sql));
  query->bind(at.repository).bind(at.digest).bind(seconds_of(rules.unseen_since));
  query->bind(static_cast<std::int64_t>(rules.examine));
  for (;;) {
    CONVOY_TRY(row, query->step());
    if (!*row) return page;
    ++page.examined;
    page.last_repository = query->number(0);
    page.last_digest = query->text(1);
    if (query->number(3) == 0) continue;
    page.candidates.push_back(
        {page.last_repository, page.last_digest, static_cast<std::uint64_t>(query->number(2))});
  }
}

void advance(WalkPosition& at, const Page& page, const WalkRules& rules) {
  at.done = page.examined < rules.examine;
  if (page.examined == 0) return;
  at.repository = page.last_repository;
  at.digest = page.last_digest;
}

class SqliteUpkeep final : public RegistryUpkeep {
 public:
  SqliteUpkeep(DatabasePool& pool, const Clock& clock, const TagGuard& guard)
      : pool_(&pool), clock_(&clock), guard_(&guard) {}

  Result<WalkStep> walk_manifests(WalkPosition& at, const WalkRules& rules) override {
    const auto page = [&](Database& db) {
      return read_page(
          db,
          "SELECT m.repository_id,m.digest,m.size,m.seen<=?3 AND" CONVOY_UNHELD_MANIFEST
          " FROM manifests m WHERE (m.repository_id,m.digest)>(?1,?2)"
          " ORDER BY m.repository_id,m.digest LIMIT ?4",
          at, rules);
    };
    std::vector<RemovedManifest> gone;
    auto step = walk(at, rules, page, [&](Database& db, const Candidate& c) -> Result<bool> {
      CONVOY_TRY(query, db.query("SELECT r.name,m.media_type FROM manifests m JOIN repositories r"
                                 " ON r.id=m.repository_id WHERE m.repository_id=? AND m.digest=?"
                                 " AND m.seen<=? AND" CONVOY_UNHELD_MANIFEST));
      query->bind(c.repository).bind(c.digest).bind(seconds_of(rules.unseen_since));
      CONVOY_TRY(still, query->step());
      if (!*still) return false;
      RemovedManifest row{query->text(0), c.digest, query->text(1)};
      CONVOY_TRY(removed, remove_manifest(db, c.repository, c.digest,
                                          {rules.freed_seen, rules.freed_manifests_seen}));
      if (*removed) gone.push_back(std::move(row));
      return *removed;
    });
    if (step) step->manifests = std::move(gone);
    return step;
  }

  Result<WalkStep> walk_links(WalkPosition& at, const WalkRules& rules) override {
    const auto page = [&](Database& db) {
      return read_page(db,
                       "SELECT b.repository_id,b.digest,b.size,b.seen<=?3 AND" CONVOY_UNNAMED_BLOB
                       " FROM repository_blobs b WHERE (b.repository_id,b.digest)>(?1,?2)"
                       " ORDER BY b.repository_id,b.digest LIMIT ?4",
                       at, rules);
    };
    return walk(at, rules, page, [&](Database& db, const Candidate& c) -> Result<bool> {
      CONVOY_TRY(query, db.query("DELETE FROM repository_blobs AS b WHERE b.repository_id=?"
                                 " AND b.digest=? AND b.seen<=? AND" CONVOY_UNNAMED_BLOB));
      query->bind(c.repository).bind(c.digest).bind(seconds_of(rules.unseen_since));
      CONVOY_TRY(done, query->run());
      return db.changes() > 0;
    });
  }

  Result<WalkStep> walk_repositories(WalkPosition& at, const WalkRules& rules) override {
    const auto page = [&](Database& db) {
      return read_page(db,
                       "SELECT r.id,r.name,0,"
                       " NOT EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id=r.id)"
                       " AND NOT EXISTS (SELECT 1 FROM repository_blobs b"
                       " WHERE b.repository_id=r.id)"
                       " FROM repositories r WHERE r.id>?1 AND ?2=?2 AND ?3=?3"
                       " ORDER BY r.id LIMIT ?4",
                       at, rules);
    };
    return walk(at, rules, page, [](Database& db, const Candidate& c) -> Result<bool> {
      CONVOY_TRY(query, db.query("DELETE FROM repositories AS r WHERE r.id=?"
                                 " AND NOT EXISTS (SELECT 1 FROM manifests m"
                                 " WHERE m.repository_id=r.id)"
                                 " AND NOT EXISTS (SELECT 1 FROM repository_blobs b"
                                 " WHERE b.repository_id=r.id)"
                                 " AND NOT EXISTS (SELECT 1 FROM tags t"
                                 " WHERE t.repository_id=r.id)"));
      query->bind(c.repository);
      CONVOY_TRY(done, query->run());
      return db.changes() > 0;
    });
  }

  Result<std::vector<oci::Digest>> condemned(const std::string& after, std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<oci::Digest>> {
      CONVOY_TRY(query, db.query("SELECT digest FROM condemned WHERE digest>? ORDER BY digest"
                                 " LIMIT ?"));
      query->bind(after).bind(static_cast<std::int64_t>(limit));
      std::vector<oci::Digest> out;
      for (;;) {
        CONVOY_TRY(row, query->step());
        if (!*row) return out;
        CONVOY_TRY(digest, oci::Digest::parse(query->text(0)));
        out.push_back(*digest);
      }
    });
  }

  Result<bool> is_condemned(const oci::Digest& digest) override {
    return has_row(digest, "SELECT 1 FROM condemned WHERE digest=?");
  }

  Result<bool> linked(const oci::Digest& digest) override {
    return has_row(digest, "SELECT 1 FROM repository_blobs WHERE digest=? LIMIT 1");
  }

  Status forget_condemned(const oci::Digest& digest) override {
    // Lazily: after a crash of the machine the next run finds the row again, and no file.
    return pool_->write_lazily([&](Database& db) -> Status {
      const std::string text = digest.str();
      CONVOY_TRY(query, db.query("DELETE FROM condemned WHERE digest=?1 AND NOT EXISTS"
                                 " (SELECT 1 FROM repository_blobs WHERE digest=?1)"));
      CONVOY_TRY(done, query->bind(text).run());
      CONVOY_TRY(other, db.query("DELETE FROM quarantined WHERE digest=?1 AND NOT EXISTS"
                                 " (SELECT 1 FROM repository_blobs WHERE digest=?1)"));
      return other->bind(text).run();
    });
  }

  Status quarantine(const oci::Digest& digest, const std::string& reason) override {
    return pool_->write([&](Database& db) -> Status {
      const std::string text = digest.str();
      CONVOY_TRY(query, db.query("INSERT INTO quarantined(digest,found,reason) VALUES(?,?,?)"
                                 " ON CONFLICT(digest) DO NOTHING"));
      return query->bind(text).bind(seconds_of(clock_->wall())).bind(reason).run();
    });
  }

  Result<bool> is_quarantined(const oci::Digest& digest) override {
    return has_row(digest, "SELECT 1 FROM quarantined WHERE digest=?");
  }

  Result<std::vector<QuarantinedBlob>> quarantined(std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<QuarantinedBlob>> {
      CONVOY_TRY(query, db.query("SELECT digest,found,reason FROM quarantined ORDER BY digest"
                                 " LIMIT ?"));
      query->bind(static_cast<std::int64_t>(limit));
      std::vector<QuarantinedBlob> out;
      for (;;) {
        CONVOY_TRY(row, query->step());
        if (!*row) return out;
        CONVOY_TRY(digest, oci::Digest::parse(query->text(0)));
        out.push_back({*digest, unix_time(query->number(1)), query->text(2)});
      }
    });
  }

  Result<std::vector<RepositoryUse>> repositories(const std::string& last,
                                                  std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<RepositoryUse>> {
      CONVOY_TRY(query,
                 db.query("SELECT r.name,"
                          " (SELECT COUNT(*) FROM tags t WHERE t.repository_id=r.id),"
                          " (SELECT COUNT(*) FROM manifests m WHERE m.repository_id=r.id),"
                          " (SELECT COUNT(*) FROM repository_blobs b WHERE b.repository_id=r.id),"
                          " r.bytes FROM repositories r WHERE r.name>? ORDER BY r.name LIMIT ?"));
      query->bind(last).bind(static_cast<std::int64_t>(limit));
      std::vector<RepositoryUse> out;
      for (;;) {
        CONVOY_TRY(row, query->step());
        if (!*row) return out;
        out.push_back({query->text(0), unsigned_at(*query, 1), unsigned_at(*query, 2),
                       unsigned_at(*query, 3), unsigned_at(*query, 4)});
      }
    });
  }

  Result<std::vector<TagRow>> tags(const oci::RepoName& repo, const std::string& last,
                                   std::size_t limit) override {
    return pool_->read([&](Database& db) -> Result<std::vector<TagRow>> {
      CONVOY_TRY(id, find_repository(db, repo));
      if (*id == kNoRepository) return not_found("name_unknown");
      const std::string after = folded(last);
      CONVOY_TRY(query, db.query("SELECT t.name,t.digest,COALESCE(m.media_type,''),t.pushed,"
                                 "t.pulled FROM tags t LEFT JOIN manifests m"
                                 " ON m.repository_id=t.repository_id AND m.digest=t.digest"
                                 " WHERE t.repository_id=? AND (t.folded,t.name)>(?,?)"
                                 " ORDER BY t.folded,t.name LIMIT ?"));
      query->bind(*id).bind(after).bind(last).bind(static_cast<std::int64_t>(limit));
      std::vector<TagRow> out;
      for (;;) {
        CONVOY_TRY(row, query->step());
        if (!*row) return out;
        CONVOY_TRY(digest, oci::Digest::parse(query->text(1)));
        out.push_back({query->text(0), *digest, query->text(2), unix_time(query->number(3)),
                       unix_time(query->number(4))});
      }
    });
  }

  Result<bool> remove_tag(const oci::RepoName& repo, const TagRow& tag) override {
    if (*guard_ && (*guard_)(repo, tag.name)) return false;
    bool removed = false;
    auto done = pool_->write([&](Database& db) -> Status {
      CONVOY_TRY(id, find_repository(db, repo));
      const std::string digest = tag.digest.str();
      CONVOY_TRY(query, db.query("DELETE FROM tags WHERE repository_id=? AND name=? AND digest=?"
                                 " AND pushed=? AND pulled=?"));
      query->bind(*id).bind(tag.name).bind(digest).bind(seconds_of(tag.pushed));
      query->bind(seconds_of(tag.pulled));
      CONVOY_TRY(ran, query->run());
      removed = db.changes() > 0;
      if (!removed) return {};
      return touch_manifest(db, *id, digest, clock_->wall());
    });
    if (!done) return std::move(done).error();
    return removed;
  }

  Result<StoreUse> use() override {
    return pool_->read([&](Database& db) -> Result<StoreUse> {
      CONVOY_TRY(query, db.query("SELECT (SELECT COUNT(*) FROM repositories),"
                                 " (SELECT COUNT(*) FROM manifests),"
                                 " (SELECT COALESCE(SUM(bytes),0) FROM repositories),"
                                 " (SELECT COUNT(*) FROM condemned),"
                                 " (SELECT COUNT(*) FROM quarantined)"));
      CONVOY_TRY(row, query->step());
      StoreUse out;
      out.repositories = unsigned_at(*query, 0);
      out.manifests = unsigned_at(*query, 1);
      out.linked_bytes = unsigned_at(*query, 2);
      out.condemned = unsigned_at(*query, 3);
      out.quarantined = unsigned_at(*query, 4);
      CONVOY_TRY(blobs, db.query("SELECT COUNT(*),COALESCE(SUM(size),0) FROM"
                                 " (SELECT MAX(size) AS size FROM repository_blobs"
                                 " GROUP BY digest)"));
      CONVOY_TRY(second, blobs->step());
      out.blobs = unsigned_at(*blobs, 0);
      out.blob_bytes = unsigned_at(*blobs, 1);
      return out;
    });
  }

  Result<std::uint64_t> bytes_below(const std::string& prefix,
                                    const std::vector<std::string>& without) override {
    return pool_->read([&](Database& db) -> Result<std::uint64_t> {
      const std::string names = wire::json_list(without);
      // '0' follows '/': everything that begins with "prefix/".
      CONVOY_TRY(query,
                 db.query("SELECT COALESCE(SUM(bytes),0) FROM repositories"
                          " WHERE (name=?1 OR (name>=?1||'/' AND name<?1||'0'))"
                          " AND id NOT IN (SELECT r.id FROM json_each(?2) w JOIN repositories r"
                          " ON r.name=w.value OR (r.name>=w.value||'/' AND r.name<w.value||'0'))"));
      query->bind(prefix).bind(names);
      CONVOY_TRY(sum, number_of(*query));
      return static_cast<std::uint64_t>(std::max<std::int64_t>(sum->value_or(0), 0));
    });
  }

  Result<std::string> note(const std::string& name) override {
    return pool_->read([&](Database& db) -> Result<std::string> {
      CONVOY_TRY(query, db.query("SELECT value FROM upkeep_notes WHERE name=?"));
      query->bind(name);
      CONVOY_TRY(row, query->step());
      return *row ? query->text(0) : std::string();
    });
  }

  Status put_note(const std::string& name, const std::string& value) override {
    return pool_->write_lazily([&](Database& db) -> Status {
      CONVOY_TRY(query, db.query("INSERT INTO upkeep_notes(name,value) VALUES(?,?)"
                                 " ON CONFLICT(name) DO UPDATE SET value=excluded.value"));
      return query->bind(name).bind(value).run();
    });
  }

 private:
  static std::uint64_t unsigned_at(const Query& query, int column) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(query.number(column), 0));
  }

  Result<bool> has_row(const oci::Digest& digest, const char* sql) {
    return pool_->read([&](Database& db) -> Result<bool> {
      const std::string text = digest.str();
      CONVOY_TRY(query, db.query(sql));
      query->bind(text);
      CONVOY_TRY(found, number_of(*query));
      return found->has_value();
    });
  }

  /// `page` examines on a reader; `remove` decides again and removes within the transaction.
  template <class PageOf, class Remove>
  Result<WalkStep> walk(WalkPosition& at, const WalkRules& rules, const PageOf& page,
                        const Remove& remove) {
    CONVOY_TRY(found, pool_->read(page));
    WalkStep step;
    step.examined = found->examined;
    if (rules.dry_run) {
      for (const auto& c : found->candidates) step.bytes += c.bytes;
      step.removed = found->candidates.size();
    } else if (!found->candidates.empty()) {
      auto done = pool_->write([&](Database& db) -> Status {
        for (const auto& c : found->candidates) {
          CONVOY_TRY(removed, remove(db, c));
          if (!*removed) continue;
          ++step.removed;
          step.bytes += c.bytes;
        }
        return {};
      });
      if (!done) return std::move(done).error();
    }
    advance(at, *found, rules);
    return step;
  }

  DatabasePool* pool_;
  const Clock* clock_;
  const TagGuard* guard_;
};

}  // namespace

std::unique_ptr<RegistryUpkeep> make_sqlite_upkeep(DatabasePool& pool, const Clock& clock,
                                                   const TagGuard& guard) {
  return std::make_unique<SqliteUpkeep>(pool, clock, guard);
}

}  // namespace convoy::storage
