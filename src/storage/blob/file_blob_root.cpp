#include "storage/blob/file_blob_root.hpp"

#include <cerrno>
#include <fcntl.h>

namespace convoy::storage {

Error blob_unknown() { return not_found("blob_unknown"); }

int FileBlobRoot::algorithm_dir(oci::DigestAlgorithm algorithm) const {
  return algorithm == oci::DigestAlgorithm::sha256 ? sha256.get() : sha512.get();
}

Result<Fd> FileBlobRoot::open_bucket(oci::DigestAlgorithm algorithm, std::uint8_t first) const {
  const std::string bucket = to_hex(ByteView(&first, 1));
  Fd fd(::openat(algorithm_dir(algorithm), bucket.c_str(),
                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return blob_unknown();
  return file_error("blob_read", bucket, errno);
}

Result<Fd> FileBlobRoot::make_bucket(const oci::Digest& d) {
  const int parent = algorithm_dir(d.algorithm());
  auto bucket = open_subdir(parent, d.hex().substr(0, 2), disk);
  if (!bucket) return bucket;
  const bool second = d.algorithm() == oci::DigestAlgorithm::sha512;
  auto& known = durable_[d.raw()[0] + (second ? BlobStore::kBuckets / 2 : 0)];
  if (known) return bucket;
  if (auto done = sync_fd(parent, "blob_write", disk); !done) return std::move(done).error();
  known = true;
  return bucket;
}

}  // namespace convoy::storage
