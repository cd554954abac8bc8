#pragma once

#include <functional>
#include <memory>

#include "storage/meta/registry_upkeep.hpp"
#include "storage/meta/sqlite_pool.hpp"

namespace convoy::storage {

using TagGuard = std::function<bool(const oci::RepoName&, const std::string&)>;

/// The pool, the clock and the guard must outlive it.
std::unique_ptr<RegistryUpkeep> make_sqlite_upkeep(DatabasePool&, const Clock&,
                                                   const TagGuard& guard);

}  // namespace convoy::storage
