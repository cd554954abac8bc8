#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "storage/blob/cache_store.hpp"

namespace convoy::test {

/// A cache on a disk that takes so many bytes of blobs and no more.
class SmallDisk final : public storage::CacheStore {
 public:
  SmallDisk(std::unique_ptr<storage::CacheStore> store, std::int64_t room)
      : store_(std::move(store)), room_(std::make_shared<Room>(room)) {}

  std::optional<std::unique_ptr<storage::BlobReader>> open_complete(
      const oci::Digest& digest) override {
    return store_->open_complete(digest);
  }
  std::optional<bt::BlobMeta> complete_meta(const oci::Digest& digest) override {
    return store_->complete_meta(digest);
  }
  Result<std::shared_ptr<storage::PieceFile>> open_partial(const bt::BlobMeta& meta) override {
    auto file = store_->open_partial(meta);
    if (!file) return file;
    return std::shared_ptr<storage::PieceFile>(std::make_shared<File>(std::move(*file), room_));
  }
  Status complete(storage::PieceFile& file) override { return store_->complete(file); }
  Status add_source(const oci::Digest& digest, const oci::RegistryHost& registry) override {
    return store_->add_source(digest, registry);
  }
  bool has_source(const oci::Digest& digest, const oci::RegistryHost& registry) override {
    return store_->has_source(digest, registry);
  }
  Status drop(const oci::Digest& digest) override { return store_->drop(digest); }
  bool in_memory(const oci::Digest& digest, std::uint64_t offset, std::uint64_t length) override {
    return store_->in_memory(digest, offset, length);
  }
  std::vector<Entry> list() override { return store_->list(); }

 private:
  using Room = std::atomic<std::int64_t>;

  class File final : public storage::PieceFile {
   public:
    File(std::shared_ptr<storage::PieceFile> file, std::shared_ptr<Room> room)
        : file_(std::move(file)), room_(std::move(room)) {}
    const bt::BlobMeta& meta() const override { return file_->meta(); }
    Status read_at(std::uint64_t offset, MutableByteView out) const override {
      return file_->read_at(offset, out);
    }
    bool read_now(std::uint64_t offset, MutableByteView out) const override {
      return file_->read_now(offset, out);
    }
    Status write_at(std::uint64_t offset, ByteView bytes) override {
      const auto size = static_cast<std::int64_t>(bytes.size());
      if (room_->fetch_sub(size) < size) return exhausted("disk_full");
      return file_->write_at(offset, bytes);
    }
    Status mark_piece(std::uint32_t piece) override { return file_->mark_piece(piece); }
    std::vector<bool> pieces() const override { return file_->pieces(); }
    Status clear_piece(std::uint32_t piece) override { return file_->clear_piece(piece); }
    int fd() const override { return file_->fd(); }

   private:
    std::shared_ptr<storage::PieceFile> file_;
    std::shared_ptr<Room> room_;
  };

  std::unique_ptr<storage::CacheStore> store_;
  std::shared_ptr<Room> room_;
};

}  // namespace convoy::test
