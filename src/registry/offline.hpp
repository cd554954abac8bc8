#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "registry/core/admin_desk.hpp"
#include "registry/core/projects.hpp"
#include "registry/core/stores.hpp"

namespace convoy::registry {

/// The data directory of a registry that does not run, for administration. Holds its lock, so that
/// no registry starts meanwhile.
class OfflineRegistry {
 public:
  /// Error "store_locked" when a registry runs. Clock, audit and metrics must outlive it.
  static Result<std::unique_ptr<OfflineRegistry>> open(const std::string& data_dir,
                                                       std::vector<Project>, CollectRules,
                                                       const Clock&, security::AuditLog&,
                                                       net::Metrics&);
  AdminDesk& desk() { return desk_; }

 private:
  OfflineRegistry(Stores stores, std::vector<Project> projects, CollectRules rules,
                  const Clock& clock, security::AuditLog& audit, net::Metrics& metrics);

  Stores stores_;
  ProjectBook projects_;
  DigestGate gate_;
  AdminDesk desk_;
};

}  // namespace convoy::registry
