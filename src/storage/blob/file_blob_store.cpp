#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blob/file_blob_upload.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::storage {
namespace {

bool is_upload_id(std::string_view id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

class FileBlobReader final : public BlobReader {
 public:
  FileBlobReader(Fd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  int fd() const override { return fd_.get(); }
  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return internal_error("blob_read", "range outside the blob");
    }
    return read_exact(fd_.get(), offset, out);
  }
  bool read_now(std::uint64_t offset, MutableByteView out) const override {
    return read_cached(fd_.get(), offset, out);
  }

 private:
  Fd fd_;
  std::uint64_t size_;
};

class FileBlobStore final : public BlobStore {
 public:
  explicit FileBlobStore(std::shared_ptr<FileBlobRoot> root) : root_(std::move(root)) {}

  Result<std::unique_ptr<BlobUpload>> create_upload(const std::string& id) override {
    if (!is_upload_id(id)) return invalid("blob_upload_invalid");
    // A crash may have kept them alone.
    root_->remove(root_->uploads.get(), FileBlobUpload::notes_of(id));
    auto fd =
        open_file(root_->uploads.get(), id, O_RDWR | O_CREAT | O_EXCL, "blob_write", root_->disk);
    if (!fd) return std::move(fd).error();
    return std::make_unique<FileBlobUpload>(root_, id, std::move(*fd), 0, false);
  }

  Result<std::unique_ptr<BlobUpload>> reopen_upload(const std::string& id) override {
    if (!is_upload_id(id)) return not_found("blob_upload_unknown");
    auto fd = open_file(root_->uploads.get(), id, O_RDWR, "blob_write");
    if (!fd) {
      if (fd.error().kind() == ErrorClass::not_found) return not_found("blob_upload_unknown");
      return std::move(fd).error();
    }
    auto size = file_size(fd->get(), "blob_write");
    if (!size) return std::move(size).error();
    return std::make_unique<FileBlobUpload>(root_, id, std::move(*fd), *size, true);
  }

  Result<std::vector<std::string>> list_uploads() override {
    auto names = list_directory(root_->uploads.get(), "blob_read");
    if (!names) return names;
    std::erase_if(*names, [](const std::string& n) { return !is_upload_id(n); });
    return names;
  }

  Result<std::unique_ptr<BlobReader>> open(const oci::Digest& digest) override {
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    auto fd = open_file(bucket->get(), digest.hex(), O_RDONLY, "blob_read");
    if (!fd) return as_blob_error(std::move(fd).error());
    auto size = file_size(fd->get(), "blob_read");
    if (!size) return std::move(size).error();
    return std::make_unique<FileBlobReader>(std::move(*fd), *size);
  }

  Result<std::vector<Hash256>> leaves(const oci::Digest& digest) override {
    auto blob_bytes = size(digest);
    if (!blob_bytes) return std::move(blob_bytes).error();
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    auto fd =
        open_file(bucket->get(), digest.hex() + std::string(kLeavesSuffix), O_RDONLY, "blob_read");
    if (!fd) return as_blob_error(std::move(fd).error());
    auto stored = file_size(fd->get(), "blob_read");
    if (!stored) return std::move(stored).error();
    if (*stored != bt::block_count(*blob_bytes) * sizeof(Hash256)) {
      return corrupt("blob_leaves", "their number does not fit the blob");
    }
    std::vector<Hash256> out(static_cast<std::size_t>(*stored / sizeof(Hash256)));
    const MutableByteView raw{reinterpret_cast<std::uint8_t*>(out.data()),
                              out.size() * sizeof(Hash256)};
    if (auto done = read_exact(fd->get(), 0, raw); !done) return std::move(done).error();
    return out;
  }

  Result<std::uint64_t> size(const oci::Digest& digest) override {
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    struct stat st{};
    if (::fstatat(bucket->get(), digest.hex().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return blob_unknown();
      return file_error("blob_read", "stat", errno);
    }
    if (!S_ISREG(st.st_mode)) return internal_error("blob_read", "no regular file");
    return static_cast<std::uint64_t>(st.st_size);
  }

  Status remove(const oci::Digest& digest) override {
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    const std::lock_guard lock(root_->stripe(digest));
    // The blob goes first: leaves without a blob are harmless, the reverse is not.
    if (!root_->remove(bucket->get(), digest.hex())) return blob_unknown();
    root_->remove(bucket->get(), digest.hex() + std::string(kLeavesSuffix));
    return root_->sync(bucket->get());
  }

  Result<std::vector<StoredBlobInfo>> list(unsigned number) override {
    if (number >= kBuckets) return invalid("blob_bucket");
    const auto algorithm =
        number < kBuckets / 2 ? oci::DigestAlgorithm::sha256 : oci::DigestAlgorithm::sha512;
    const auto first = static_cast<std::uint8_t>(number % (kBuckets / 2));
    std::vector<StoredBlobInfo> out;
    auto dir = root_->open_bucket(algorithm, first);
    if (!dir) {
      if (dir.error().kind() == ErrorClass::not_found) return out;
      return std::move(dir).error();
    }
    auto names = list_directory(dir->get(), "blob_read");
    if (!names) return std::move(names).error();
    const std::string prefix(algorithm == oci::DigestAlgorithm::sha256 ? "sha256:" : "sha512:");
    for (const auto& name : *names) {
      if (name.ends_with(kLeavesSuffix)) {
        remove_stray_leaves(dir->get(), first, name);
        continue;
      }
      const auto digest = oci::Digest::parse(prefix + name);
      struct stat st{};
      if (!digest || ::fstatat(dir->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!S_ISREG(st.st_mode)) continue;
      out.push_back({*digest, static_cast<std::uint64_t>(st.st_size),
                     UnixTime(std::chrono::seconds(st.st_mtim.tv_sec))});
    }
    return out;
  }

  Status quarantine(const oci::Digest& digest) override {
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    const std::lock_guard lock(root_->stripe(digest));
    if (!exists(bucket->get(), digest.hex())) return blob_unknown();
    auto done = root_->rename(bucket->get(), digest.hex(), root_->quarantine.get(), aside(digest));
    if (!done) return done;
    root_->remove(bucket->get(), digest.hex() + std::string(kLeavesSuffix));
    done = root_->sync(root_->quarantine.get());
    if (done) done = root_->sync(bucket->get());
    return done;
  }

  Status drop_quarantined(const oci::Digest& digest) override {
    if (!root_->remove(root_->quarantine.get(), aside(digest))) return {};
    return root_->sync(root_->quarantine.get());
  }

  Status replace_leaves(const oci::Digest& digest, const std::vector<Hash256>& leaves) override {
    auto bucket = root_->open_bucket(digest);
    if (!bucket) return std::move(bucket).error();
    const std::lock_guard lock(root_->stripe(digest));
    if (!exists(bucket->get(), digest.hex())) return blob_unknown();
    const ByteView raw{reinterpret_cast<const std::uint8_t*>(leaves.data()),
                       leaves.size() * sizeof(Hash256)};
    const std::string name = digest.hex() + std::string(kLeavesSuffix);
    auto done =
        write_durably(root_->uploads.get(), "mended" + std::string(kLeavesSuffix) + digest.hex(),
                      bucket->get(), name, raw, "blob_write", root_->disk);
    if (done) done = root_->sync(bucket->get());
    return done;
  }

 private:
  static std::string aside(const oci::Digest& digest) {
    const bool sha256 = digest.algorithm() == oci::DigestAlgorithm::sha256;
    return (sha256 ? "sha256-" : "sha512-") + digest.hex();
  }

  /// A commit puts the leaves first; under the lock none is between the two.
  void remove_stray_leaves(int dir, std::uint8_t first, const std::string& name) {
    const std::lock_guard lock(root_->stripe(first));
    if (!exists(dir, name.substr(0, name.size() - kLeavesSuffix.size()))) root_->remove(dir, name);
  }

  static Error as_blob_error(Error e) {
    return e.kind() == ErrorClass::not_found ? blob_unknown() : e;
  }
  std::shared_ptr<FileBlobRoot> root_;
};

/// What crashes left: temporary leaves of commits that were cut off, notes without their upload.
void remove_stale(const FileBlobRoot& root) {
  auto names = list_directory(root.uploads.get(), "store_open");
  if (!names) return;
  for (const auto& name : *names) {
    const bool leaves = name.find(kLeavesSuffix) != std::string::npos;
    const bool notes = name.ends_with(kNotesSuffix);
    const auto id = name.substr(0, name.size() - (notes ? kNotesSuffix.size() : 0));
    if (leaves || (notes && !exists(root.uploads.get(), id))) {
      root.remove(root.uploads.get(), name);
    }
  }
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_file_blob_store(const std::string& path, Disk& disk) {
  auto dir = open_root(path);
  if (!dir) return std::move(dir).error();
  auto blobs = open_subdir(dir->get(), "blobs", disk);
  if (!blobs) return std::move(blobs).error();
  auto uploads = open_subdir(dir->get(), "uploads", disk);
  if (!uploads) return std::move(uploads).error();
  auto sha256 = open_subdir(blobs->get(), "sha256", disk);
  if (!sha256) return std::move(sha256).error();
  auto sha512 = open_subdir(blobs->get(), "sha512", disk);
  if (!sha512) return std::move(sha512).error();

  auto quarantine = open_subdir(dir->get(), "quarantine", disk);
  if (!quarantine) return std::move(quarantine).error();

  auto root = std::make_shared<FileBlobRoot>(disk);
  root->dir = std::move(*dir);
  root->uploads = std::move(*uploads);
  root->sha256 = std::move(*sha256);
  root->sha512 = std::move(*sha512);
  root->quarantine = std::move(*quarantine);
  remove_stale(*root);
  return std::make_unique<FileBlobStore>(std::move(root));
}

}  // namespace convoy::storage
