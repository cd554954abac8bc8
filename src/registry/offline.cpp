#include "registry/offline.hpp"

namespace convoy::registry {

OfflineRegistry::OfflineRegistry(Stores stores, std::vector<Project> projects, CollectRules rules,
                                 const Clock& clock, security::AuditLog& audit,
                                 net::Metrics& metrics)
    : stores_(std::move(stores)),
      projects_(std::move(projects)),
      desk_({*stores_.blobs, *stores_.meta, gate_, projects_, clock, audit, metrics, rules, {}}) {}

Result<std::unique_ptr<OfflineRegistry>> OfflineRegistry::open(
    const std::string& data_dir, std::vector<Project> projects, CollectRules rules,
    const Clock& clock, security::AuditLog& audit, net::Metrics& metrics) {
  auto stores = open_stores(data_dir, clock);
  if (!stores) return std::move(stores).error();
  std::unique_ptr<OfflineRegistry> out(
      new OfflineRegistry(std::move(*stores), std::move(projects), rules, clock, audit, metrics));
  out->stores_.meta->guard_tags(
      [book = &out->projects_](const oci::RepoName& name, const std::string& tag) {
        return book->immutable(name.str(), tag);
      });
  return out;
}

}  // namespace convoy::registry
