#include "registry/core/upkeep_json.hpp"

#include <boost/json.hpp>

namespace convoy::registry {
namespace {

namespace json = boost::json;

json::value time_or_null(UnixTime t) {
  if (t == UnixTime{}) return nullptr;
  return json::value(to_rfc3339(t));
}

json::object head(const std::string& state, const std::string& error, bool dry_run) {
  json::object out;
  out["state"] = state;
  if (!error.empty()) out["error"] = error;
  out["dry_run"] = dry_run;
  return out;
}

}  // namespace

std::string to_json(const CollectReport& r, const std::string& state, const std::string& error) {
  json::object out = head(state, error, r.dry_run);
  out["phase"] = r.phase;
  out["started"] = time_or_null(r.started);
  out["examined"] = r.examined;
  out["tags"] = r.tags;
  out["manifests"] = r.manifests;
  out["links"] = r.links;
  out["link_bytes"] = r.link_bytes;
  out["blobs"] = r.blobs;
  out["blob_bytes"] = r.blob_bytes;
  out["orphans"] = r.orphans;
  out["repositories"] = r.repositories;
  json::array explained;
  for (const auto& [repository, decision] : r.explained) {
    explained.push_back({{"repository", repository},
                         {"tag", decision.tag},
                         {"keep", decision.keep},
                         {"reason", decision.reason}});
  }
  out["retention"] = std::move(explained);
  return json::serialize(out);
}

std::string to_json(const ScrubReport& r, const std::string& state, const std::string& error) {
  json::object out = head(state, error, r.dry_run);
  out["blobs"] = r.blobs;
  out["bytes"] = r.bytes;
  out["progress"] = static_cast<double>(r.buckets_done) / storage::BlobStore::kBuckets;
  out["leaves_mended"] = r.leaves_mended;
  json::array bad;
  for (const auto& blob : r.bad) {
    bad.push_back({{"digest", blob.digest.str()}, {"reason", blob.reason}});
  }
  out["bad"] = std::move(bad);
  return json::serialize(out);
}

std::string to_json(const std::vector<storage::RepositoryUse>& rows) {
  json::array list;
  for (const auto& row : rows) {
    list.push_back({{"name", row.name},
                    {"tags", row.tags},
                    {"manifests", row.manifests},
                    {"blobs", row.blobs},
                    {"bytes", row.bytes}});
  }
  return json::serialize(json::object{{"repositories", std::move(list)}});
}

std::string to_json(const std::vector<storage::TagRow>& rows) {
  json::array list;
  for (const auto& row : rows) {
    list.push_back({{"name", row.name},
                    {"digest", row.digest.str()},
                    {"media_type", row.media_type},
                    {"pushed", time_or_null(row.pushed)},
                    {"pulled", time_or_null(row.pulled)}});
  }
  return json::serialize(json::object{{"tags", std::move(list)}});
}

std::string to_json(const storage::StoreUse& use,
                    const std::vector<storage::QuarantinedBlob>& quarantined) {
  json::array bad;
  for (const auto& blob : quarantined) {
    bad.push_back({{"digest", blob.digest.str()},
                   {"found", time_or_null(blob.found)},
                   {"reason", blob.reason}});
  }
  json::object out{{"repositories", use.repositories},
                   {"manifests", use.manifests},
                   {"blobs", use.blobs},
                   {"blob_bytes", use.blob_bytes},
                   {"linked_bytes", use.linked_bytes},
                   {"condemned", use.condemned},
                   {"quarantined", std::move(bad)}};
  return json::serialize(out);
}

}  // namespace convoy::registry
