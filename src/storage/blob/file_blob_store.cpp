#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blob/blob_store.hpp"
#include "storage/blob/posix_file.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::storage {
namespace {

constexpr std::string_view kLeavesSuffix = ".leaves";
constexpr std::string_view kNotesSuffix = ".notes";
// The kernel is told to start writing at this stride, so that the fsync of a commit has little
// left to do. So much disk is then taken ahead as well: block by block it costs the writer more.
constexpr std::uint64_t kWritebackStride = 8 * 1024 * 1024;
constexpr std::size_t kLockStripes = 64;

bool is_upload_id(std::string_view id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string notes_of(const std::string& id) { return id + std::string(kNotesSuffix); }

std::uint64_t leaf_count(std::uint64_t size) {
  return (size + bt::kBlockSize - 1) / bt::kBlockSize;
}

Error blob_unknown() { return not_found("blob_unknown"); }

/// What readers, uploads and the store share: the open directories and the locks by digest.
struct Root {
  explicit Root(Disk& changes) : disk(changes) {}

  Disk& disk;
  Fd dir;
  Fd uploads;
  Fd sha256;
  Fd sha512;
  Fd quarantine;
  std::array<std::mutex, kLockStripes> stripes;
  /// Buckets whose own entry is known to be on the disk: one that is there may have been made a
  /// moment before a crash, or by another thread that has not reached its fsync.
  mutable std::array<std::atomic<bool>, BlobStore::kBuckets> durable{};

  int algorithm_dir(const oci::Digest& d) const {
    return d.algorithm() == oci::DigestAlgorithm::sha256 ? sha256.get() : sha512.get();
  }
  std::mutex& stripe(const oci::Digest& d) { return stripes[d.raw()[0] % kLockStripes]; }

  /// The directory a digest lives in, for reading. "blob_unknown" when it was never made.
  Result<Fd> open_bucket(const oci::Digest& d) const {
    const std::string bucket = d.hex().substr(0, 2);
    Fd fd(::openat(algorithm_dir(d), bucket.c_str(),
                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (fd) return fd;
    if (errno == ENOENT) return blob_unknown();
    return file_error("blob_read", bucket, errno);
  }
  Result<Fd> make_bucket(const oci::Digest& d) const {
    const int parent = algorithm_dir(d);
    auto bucket = open_subdir(parent, d.hex().substr(0, 2), disk);
    if (!bucket) return bucket;
    const bool second = d.algorithm() == oci::DigestAlgorithm::sha512;
    auto& known = durable[d.raw()[0] + (second ? BlobStore::kBuckets / 2 : 0)];
    if (known) return bucket;
    if (auto done = sync_fd(parent, "blob_write", disk); !done) return std::move(done).error();
    known = true;
    return bucket;
  }

  Status sync(int fd) const { return sync_fd(fd, "blob_write", disk); }
  Status rename(int from, const std::string& name, int to, const std::string& new_name) const {
    return rename_file(from, name, to, new_name, "blob_write", disk);
  }
  bool remove(int dir_fd, const std::string& name) const noexcept {
    return remove_file(dir_fd, name, disk);
  }
};

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

 private:
  Fd fd_;
  std::uint64_t size_;
};

class FileBlobUpload final : public BlobUpload {
 public:
  FileBlobUpload(std::shared_ptr<Root> root, std::string id, Fd fd, std::uint64_t size,
                 bool may_hold_room)
      : root_(std::move(root)),
        id_(std::move(id)),
        fd_(std::move(fd)),
        size_(size),
        may_hold_room_(may_hold_room) {}

  const std::string& id() const override { return id_; }
  std::uint64_t size() const override { return size_; }

  Status append(ByteView bytes) override {
    if (committed_) return internal_error("blob_write", "the upload is a blob already");
    if (auto done = write_all(fd_.get(), size_, bytes, "blob_write", root_->disk); !done) {
      // What a failed write left behind must not look like accepted bytes after a restart.
      if (root_->disk.truncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
        return file_error("blob_write", "truncate", errno);
      }
      return done;
    }
    size_ += bytes.size();
    if (size_ - flushed_ >= kWritebackStride) {
      ::sync_file_range(fd_.get(), static_cast<off_t>(flushed_),
                        static_cast<off_t>(size_ - flushed_), SYNC_FILE_RANGE_WRITE);
      flushed_ = size_;
      // Not every file system can; a full disk is the next write's to tell.
      may_hold_room_ = true;
      [[maybe_unused]] const int taken =
          root_->disk.allocate(fd_.get(), static_cast<off_t>(size_), kWritebackStride);
    }
    return {};
  }

  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return internal_error("blob_read", "range outside the upload");
    }
    return read_exact(fd_.get(), offset, out);
  }

  Status commit(const BlobFacts& facts) override {
    if (facts.size != size_ || facts.leaves.size() != leaf_count(size_)) {
      return internal_error("blob_write", "facts do not fit the upload");
    }
    if (auto done = give_back_room(); !done) return done;
    if (auto done = root_->sync(fd_.get()); !done) {
      discard();
      return done;
    }
    auto bucket = root_->make_bucket(facts.digest);
    if (!bucket) return std::move(bucket).error();
    const std::string name = facts.digest.hex();

    const std::lock_guard lock(root_->stripe(facts.digest));
    if (exists(bucket->get(), name)) {
      // Whoever put it there may have been killed before its fsync.
      if (auto done = root_->sync(bucket->get()); !done) return done;
      discard();
      committed_ = true;
      return {};
    }
    const std::string leaves = name + std::string(kLeavesSuffix);
    const ByteView raw{reinterpret_cast<const std::uint8_t*>(facts.leaves.data()),
                       facts.leaves.size() * sizeof(Hash256)};
    auto done = write_durably(root_->uploads.get(), id_ + std::string(kLeavesSuffix), bucket->get(),
                              leaves, raw, "blob_write", root_->disk);
    if (done) done = root_->rename(root_->uploads.get(), id_, bucket->get(), name);
    if (!done) return done;
    done = root_->sync(bucket->get());
    // Nobody may find it there and take it for durable.
    if (!done) root_->remove(bucket->get(), name);
    committed_ = true;
    drop_notes();
    return done;
  }

  Status sync() override {
    if (committed_) return internal_error("blob_write", "the upload is a blob already");
    auto done = root_->sync(fd_.get());
    if (!done) discard();
    return done;
  }

  void discard() noexcept override {
    root_->remove(root_->uploads.get(), id_);
    drop_notes();
  }

  Status add_note(ByteView note) override {
    if (auto done = open_notes(O_CREAT); !done) return done;
    auto size = file_size(notes_.get(), "blob_write");
    if (!size) return std::move(size).error();
    return write_all(notes_.get(), *size, note, "blob_write", root_->disk);
  }

  Result<std::size_t> read_notes(std::uint64_t offset, MutableByteView out) override {
    if (auto done = open_notes(0); !done) {
      if (done.error().kind() == ErrorClass::not_found) return std::size_t{0};
      return std::move(done).error();
    }
    auto size = file_size(notes_.get(), "blob_read");
    if (!size) return std::move(size).error();
    const auto there = *size - std::min(*size, offset);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
    if (auto done = read_exact(notes_.get(), offset, out.first(n)); !done) {
      return std::move(done).error();
    }
    return n;
  }

  Status cut_notes(std::uint64_t size) override {
    if (auto done = open_notes(0); !done) {
      return done.error().kind() == ErrorClass::not_found ? Status{} : done;
    }
    if (root_->disk.truncate(notes_.get(), static_cast<off_t>(size)) == 0) return {};
    return file_error("blob_write", "truncate", errno);
  }

 private:
  /// "file_unknown" when there are none.
  Status open_notes(int flags) {
    if (notes_) return {};
    auto fd =
        open_file(root_->uploads.get(), notes_of(id_), O_RDWR | flags, "blob_write", root_->disk);
    if (!fd) return std::move(fd).error();
    notes_ = std::move(*fd);
    return {};
  }

  void drop_notes() noexcept { root_->remove(root_->uploads.get(), notes_of(id_)); }

  /// What was taken ahead and not used.
  Status give_back_room() {
    if (!may_hold_room_) return {};
    if (root_->disk.truncate(fd_.get(), static_cast<off_t>(size_)) == 0) return {};
    return file_error("blob_write", "truncate", errno);
  }

  std::shared_ptr<Root> root_;
  std::string id_;
  Fd fd_;
  Fd notes_;  // when they were first needed
  std::uint64_t size_;
  std::uint64_t flushed_ = 0;
  bool may_hold_room_;      // beyond its size: a crash may keep it and lose what filled it
  bool committed_ = false;  // the descriptor is that of the blob
};

class FileBlobStore final : public BlobStore {
 public:
  explicit FileBlobStore(std::shared_ptr<Root> root) : root_(std::move(root)) {}

  Result<std::unique_ptr<BlobUpload>> create_upload(const std::string& id) override {
    if (!is_upload_id(id)) return invalid("blob_upload_invalid");
    root_->remove(root_->uploads.get(), notes_of(id));  // a crash may have kept them alone
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
    if (*stored != leaf_count(*blob_bytes) * sizeof(Hash256)) {
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
    const int parent =
        algorithm == oci::DigestAlgorithm::sha256 ? root_->sha256.get() : root_->sha512.get();
    const std::uint8_t first = static_cast<std::uint8_t>(number % (kBuckets / 2));
    const std::string bucket = to_hex(ByteView(&first, 1));
    std::vector<StoredBlobInfo> out;
    Fd dir(::openat(parent, bucket.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir) {
      if (errno == ENOENT) return out;
      return file_error("blob_read", bucket, errno);
    }
    auto names = list_directory(dir.get(), "blob_read");
    if (!names) return std::move(names).error();
    const std::string prefix(algorithm == oci::DigestAlgorithm::sha256 ? "sha256:" : "sha512:");
    for (const auto& name : *names) {
      if (name.ends_with(kLeavesSuffix)) {
        remove_stray_leaves(dir.get(), first, name);
        continue;
      }
      const auto digest = oci::Digest::parse(prefix + name);
      struct stat st{};
      if (!digest || ::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
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
    const std::lock_guard lock(root_->stripes[first % kLockStripes]);
    if (!exists(dir, name.substr(0, name.size() - kLeavesSuffix.size()))) root_->remove(dir, name);
  }

  static Error as_blob_error(Error e) {
    return e.kind() == ErrorClass::not_found ? blob_unknown() : e;
  }
  std::shared_ptr<Root> root_;
};

/// What crashes left: temporary leaves of commits that were cut off, notes without their upload.
void remove_stale(const Root& root) {
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

  auto root = std::make_shared<Root>(disk);
  root->dir = std::move(*dir);
  root->uploads = std::move(*uploads);
  root->sha256 = std::move(*sha256);
  root->sha512 = std::move(*sha512);
  root->quarantine = std::move(*quarantine);
  remove_stale(*root);
  return std::make_unique<FileBlobStore>(std::move(root));
}

}  // namespace convoy::storage
