#pragma once

#include <memory>
#include <mutex>

#include "storage/blob/blob_store.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::registry {

/// The pieces of a stored blob, read only. The blob is opened at the first read. The store must
/// outlive it.
class BlobPieceIo final : public swarm::PieceIo {
 public:
  BlobPieceIo(storage::BlobStore& blobs, oci::Digest digest) : blobs_(blobs), digest_(digest) {}
  Status read(std::uint64_t offset, MutableByteView out) override;
  bool read_now(std::uint64_t offset, MutableByteView out) override;
  Status write(std::uint64_t offset, ByteView) override;
  Status piece_done(std::uint32_t piece) override;

 private:
  Result<std::shared_ptr<const storage::BlobReader>> reader();

  storage::BlobStore& blobs_;
  oci::Digest digest_;
  std::mutex mutex_;
  std::shared_ptr<const storage::BlobReader> reader_;
};

}  // namespace convoy::registry
