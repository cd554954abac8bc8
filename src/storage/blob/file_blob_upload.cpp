#include "storage/blob/file_blob_upload.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

#include "wire/bt/merkle.hpp"

namespace convoy::storage {
namespace {

// The kernel is told to start writing at this stride, so that the fsync of a commit has little
// left to do. So much disk is then taken ahead as well: block by block it costs the writer more.
constexpr std::uint64_t kWritebackStride = 8 * 1024 * 1024;

}  // namespace

FileBlobUpload::FileBlobUpload(std::shared_ptr<FileBlobRoot> root, std::string id, Fd fd,
                               std::uint64_t size, bool may_hold_room)
    : root_(std::move(root)),
      id_(std::move(id)),
      fd_(std::move(fd)),
      size_(size),
      may_hold_room_(may_hold_room) {}

Status FileBlobUpload::append(ByteView bytes) {
  if (committed_) return internal_error("blob_write", "the upload is a blob already");
  if (auto done = write_all(fd_.get(), size_, bytes, "blob_write", root_->disk); !done) {
    // What a failed write left behind must not look like accepted bytes after a restart.
    if (root_->disk.truncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      return file_error("blob_write", "truncate", errno);
    }
    return done;
  }
  size_ += bytes.size();
  if (size_ - flushed_ >= kWritebackStride) write_back();
  return {};
}

void FileBlobUpload::write_back() {
  ::sync_file_range(fd_.get(), static_cast<off_t>(flushed_), static_cast<off_t>(size_ - flushed_),
                    SYNC_FILE_RANGE_WRITE);
  flushed_ = size_;
  // Not every file system can; a full disk is the next write's to tell.
  may_hold_room_ = true;
  [[maybe_unused]] const int taken =
      root_->disk.allocate(fd_.get(), static_cast<off_t>(size_), kWritebackStride);
}

Status FileBlobUpload::read_at(std::uint64_t offset, MutableByteView out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return internal_error("blob_read", "range outside the upload");
  }
  return read_exact(fd_.get(), offset, out);
}

Status FileBlobUpload::commit(const BlobFacts& facts) {
  if (facts.size != size_ || facts.leaves.size() != bt::block_count(size_)) {
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
  // A file of another length was damaged there: the good bytes take its place.
  if (exists(bucket->get(), name, size_)) {
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

Status FileBlobUpload::sync() {
  if (committed_) return internal_error("blob_write", "the upload is a blob already");
  auto done = root_->sync(fd_.get());
  if (!done) discard();
  return done;
}

void FileBlobUpload::discard() noexcept {
  root_->remove(root_->uploads.get(), id_);
  drop_notes();
}

Status FileBlobUpload::add_note(ByteView note) {
  if (auto done = open_notes(O_CREAT); !done) return done;
  auto size = file_size(notes_.get(), "blob_write");
  if (!size) return std::move(size).error();
  return write_all(notes_.get(), *size, note, "blob_write", root_->disk);
}

Result<std::size_t> FileBlobUpload::read_notes(std::uint64_t offset, MutableByteView out) {
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

Status FileBlobUpload::cut_notes(std::uint64_t size) {
  if (auto done = open_notes(0); !done) {
    return done.error().kind() == ErrorClass::not_found ? Status{} : done;
  }
  if (root_->disk.truncate(notes_.get(), static_cast<off_t>(size)) == 0) return {};
  return file_error("blob_write", "truncate", errno);
}

Status FileBlobUpload::open_notes(int flags) {
  if (notes_) return {};
  auto fd =
      open_file(root_->uploads.get(), notes_of(id_), O_RDWR | flags, "blob_write", root_->disk);
  if (!fd) return std::move(fd).error();
  notes_ = std::move(*fd);
  return {};
}

void FileBlobUpload::drop_notes() noexcept { root_->remove(root_->uploads.get(), notes_of(id_)); }

Status FileBlobUpload::give_back_room() {
  if (!may_hold_room_) return {};
  if (root_->disk.truncate(fd_.get(), static_cast<off_t>(size_)) == 0) return {};
  return file_error("blob_write", "truncate", errno);
}

}  // namespace convoy::storage
