#include "registry/core/stores.hpp"

namespace convoy::registry {

Result<Stores> open_stores(const std::string& data_dir, const Clock& clock) {
  auto root = storage::open_root(data_dir);
  if (!root) return std::move(root).error();
  auto lock = storage::lock_root(root->get());
  if (!lock) return std::move(lock).error().with(data_dir);
  auto blobs = storage::open_file_blob_store(data_dir);
  if (!blobs) return std::move(blobs).error();
  auto meta = storage::open_registry_meta(data_dir + "/meta.db", &clock);
  if (!meta) return std::move(meta).error();
  return Stores{std::move(*root), std::move(*lock), std::move(*blobs), std::move(*meta)};
}

}  // namespace convoy::registry
