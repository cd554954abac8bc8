#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "registry/core/projects.hpp"
#include "wiring/admin_link.hpp"

namespace convoy::wiring {

/// The administration of one registry (docs/protocols/registry-admin.md): over its operations
/// listener when it runs, else on its store. Blocks. One thread.
class StoreLink {
 public:
  virtual ~StoreLink() = default;
  /// `path` is below /convoy/v1/admin/. Errors of connecting only.
  virtual Result<AdminReply> ask(const std::string& method, const std::string& path,
                                 const std::string& body) = 0;
  /// Lets a collection or scrub go on for a short while.
  virtual void wait() = 0;
  virtual bool running() const = 0;  ///< a registry does the work, also without us
};

/// Errors "store_missing" (no registry ever ran there), "admin_unreachable" (one runs, but its
/// administration cannot be asked), those of opening the store.
Result<std::unique_ptr<StoreLink>> open_store_link(const std::string& data_dir,
                                                   std::vector<registry::Project>,
                                                   registry::CollectRules);

}  // namespace convoy::wiring
