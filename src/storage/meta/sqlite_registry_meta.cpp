#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {

Result<std::unique_ptr<RegistryMeta>> open_registry_meta(const std::string& path,
                                                         const Clock* clock) {
  auto pool = DatabasePool::open(path);
  if (!pool) return std::move(pool).error();
  return std::make_unique<SqliteRegistryMeta>(std::move(*pool), clock);
}

}  // namespace convoy::storage
