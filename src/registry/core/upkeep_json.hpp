#pragma once

#include <string>
#include <vector>

#include "registry/core/collector.hpp"
#include "registry/core/scrubber.hpp"
#include "storage/meta/registry_upkeep.hpp"

// What the administration API answers (docs/protocols/registry-admin.md).
namespace convoy::registry {

/// `state`: "running", "done" or "failed"; `error` of the last.
std::string to_json(const CollectReport&, const std::string& state, const std::string& error);
std::string to_json(const ScrubReport&, const std::string& state, const std::string& error);
std::string to_json(const std::vector<storage::RepositoryUse>&);
std::string to_json(const std::vector<storage::TagRow>&);
std::string to_json(const storage::StoreUse&, const std::vector<storage::QuarantinedBlob>&);

}  // namespace convoy::registry
