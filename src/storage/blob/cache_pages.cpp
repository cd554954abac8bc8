#include "storage/blob/cache_pages.hpp"

#include <fcntl.h>

namespace convoy::storage {

void CachePages::came(const oci::Digest& digest, std::uint64_t size, std::uint64_t offset,
                      std::uint64_t length) {
  PageBudget::Due due;
  {
    const std::lock_guard lock(mutex_);
    due = budget_.came(digest, size, offset, length);
  }
  for (const auto& part : due.write_back) {
    write_pages_back(open(part.digest).get(), part.offset, PageBudget::kPart);
  }
  for (const auto& part : due.give_up) {
    give_pages_up(open(part.digest).get(), part.offset, PageBudget::kPart);
  }
}

bool CachePages::holds(const oci::Digest& digest, std::uint64_t offset, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  return budget_.holds(digest, offset, length);
}

bool CachePages::read_now(int fd, const oci::Digest& digest, std::uint64_t offset,
                          MutableByteView out) {
  return holds(digest, offset, out.size()) && read_cached(fd, offset, out);
}

Fd CachePages::open(const oci::Digest& digest) const {
  for (const Fd* folder : {&folders_->partial, &folders_->complete}) {
    auto fd = open_file(folder->get(), digest.hex(), O_RDONLY, "blob_read");
    if (fd) return std::move(*fd);
  }
  return {};
}

void CachePages::settle(int fd, const oci::Digest& digest, std::uint64_t size) {
  std::vector<PageBudget::Part> absent;
  {
    const std::lock_guard lock(mutex_);
    absent = budget_.absent(digest, size);
  }
  for (const auto& part : absent) give_pages_up(fd, part.offset, PageBudget::kPart);
}

}  // namespace convoy::storage
