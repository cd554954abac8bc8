#pragma once

#include <memory>
#include <mutex>

#include "storage/blob/page_budget.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::storage {

/// The folders of a cache; in them a blob's file has its digest's hex for a name.
struct CacheFolders {
  Fd complete;
  Fd partial;
};

/// Keeps what the files of a cache hold of the kernel's page cache within a budget (PageBudget).
/// Safe from any thread. Nothing fails here: at worst pages stay.
class CachePages {
 public:
  CachePages(std::uint64_t budget, std::shared_ptr<const CacheFolders> folders)
      : budget_(budget), folders_(std::move(folders)) {}

  /// As PageBudget::came(), and does what is due then. Blocks.
  void came(const oci::Digest&, std::uint64_t size, std::uint64_t offset, std::uint64_t length);
  /// As PageBudget::holds().
  bool holds(const oci::Digest&, std::uint64_t offset, std::uint64_t length);
  /// Reads from the page cache what is known to be there; false when that is not all of it. What
  /// the kernel read ahead has to be read in a way that counts.
  bool read_now(int fd, const oci::Digest&, std::uint64_t offset, MutableByteView out);
  /// Once all of a file is on the disk: what had to stay because it was not leaves. Blocks.
  void settle(int fd, const oci::Digest&, std::uint64_t size);

 private:
  Fd open(const oci::Digest&) const;

  std::mutex mutex_;
  PageBudget budget_;
  std::shared_ptr<const CacheFolders> folders_;
};

}  // namespace convoy::storage
