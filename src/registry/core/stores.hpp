#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/blob/posix_file.hpp"
#include "storage/meta/registry_meta.hpp"

namespace convoy::registry {

/// The stores of a data directory, which is this process's alone as long as they live.
struct Stores {
  storage::Fd root;
  storage::Fd lock;
  std::unique_ptr<storage::BlobStore> blobs;
  std::unique_ptr<storage::RegistryMeta> meta;
};

/// Error "store_locked" (conflict) when another process has the directory. The clock must outlive
/// them.
Result<Stores> open_stores(const std::string& data_dir, const Clock&);

}  // namespace convoy::registry
