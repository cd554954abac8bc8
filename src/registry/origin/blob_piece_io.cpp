#include "registry/origin/blob_piece_io.hpp"

namespace convoy::registry {

Result<std::shared_ptr<const storage::BlobReader>> BlobPieceIo::reader() {
  const std::lock_guard lock(mutex_);
  if (!reader_) {
    auto opened = blobs_.open(digest_);
    if (!opened) return std::move(opened).error();
    reader_ = std::move(*opened);
  }
  return reader_;
}

Status BlobPieceIo::read(std::uint64_t offset, MutableByteView out) {
  auto opened = reader();
  if (!opened) return std::move(opened).error();
  // Positional reads of a file need no lock.
  return (*opened)->read_at(offset, out);
}

bool BlobPieceIo::read_now(std::uint64_t offset, MutableByteView out) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  return lock && reader_ && reader_->read_now(offset, out);
}

Status BlobPieceIo::write(std::uint64_t, ByteView) {
  return internal_error("origin_read_only", "an origin takes no pieces");
}

Status BlobPieceIo::piece_done(std::uint32_t) {
  return internal_error("origin_read_only", "an origin takes no pieces");
}

}  // namespace convoy::registry
