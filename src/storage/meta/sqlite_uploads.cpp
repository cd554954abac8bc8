#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {
namespace {

Result<UploadRecord> read_upload(Query& query) {
  CONVOY_TRY(name, oci::RepoName::parse(query.text(1)));
  return UploadRecord{query.text(0), *name, query.text(2),
                      UnixTime(std::chrono::seconds(query.number(3)))};
}

}  // namespace

Status SqliteRegistryMeta::put_upload(const UploadRecord& record) {
  return pool_->write_lazily([&](Database& db) -> Status {
    CONVOY_TRY(query,
               db.query("INSERT INTO uploads(id,repository,subject,started) VALUES(?,?,?,?)"));
    query->bind(record.id).bind(record.repository.str()).bind(record.subject);
    return query->bind(std::int64_t{record.started.time_since_epoch().count()}).run();
  });
}

Result<UploadRecord> SqliteRegistryMeta::upload(const std::string& id) {
  return pool_->read([&](Database& db) -> Result<UploadRecord> {
    CONVOY_TRY(query, db.query("SELECT id,repository,subject,started FROM uploads WHERE id=?"));
    query->bind(id);
    CONVOY_TRY(row, query->step());
    if (!*row) return not_found("blob_upload_unknown");
    return read_upload(*query);
  });
}

Status SqliteRegistryMeta::delete_upload(const std::string& id) {
  return pool_->write_lazily([&](Database& db) -> Status {
    CONVOY_TRY(query, db.query("DELETE FROM uploads WHERE id=?"));
    return query->bind(id).run();
  });
}

Result<std::vector<UploadRecord>> SqliteRegistryMeta::uploads() {
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

}  // namespace convoy::storage
