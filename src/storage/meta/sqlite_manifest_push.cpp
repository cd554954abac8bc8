#include "base/log.hpp"
#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {
namespace {

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

}  // namespace

Status SqliteRegistryMeta::put_manifest(const oci::RepoName& repo, const StoredManifest& manifest,
                                        const oci::Manifest& parsed,
                                        const std::vector<oci::Tag>& tags) {
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

}  // namespace convoy::storage
