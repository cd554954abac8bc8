#pragma once

#include <memory>
#include <string>

#include "storage/blob/file_blob_root.hpp"

namespace convoy::storage {

/// Internal to the file blob store: bytes in a file of their own, named by the upload's id.
class FileBlobUpload final : public BlobUpload {
 public:
  /// `may_hold_room`: the file may be longer than what was appended to it.
  FileBlobUpload(std::shared_ptr<FileBlobRoot>, std::string id, Fd, std::uint64_t size,
                 bool may_hold_room);

  static std::string notes_of(const std::string& id) { return id + std::string(kNotesSuffix); }

  const std::string& id() const override { return id_; }
  std::uint64_t size() const override { return size_; }
  Status append(ByteView) override;
  Status read_at(std::uint64_t offset, MutableByteView out) const override;
  Status commit(const BlobFacts&) override;
  Status sync() override;
  void discard() noexcept override;
  Status add_note(ByteView) override;
  Result<std::size_t> read_notes(std::uint64_t offset, MutableByteView out) override;
  Status cut_notes(std::uint64_t size) override;

 private:
  /// "file_unknown" when there are none.
  Status open_notes(int flags);
  void drop_notes() noexcept;
  /// Has the kernel begin to write what came, and takes room for what comes next.
  void write_back();
  /// What was taken ahead and not used.
  Status give_back_room();

  std::shared_ptr<FileBlobRoot> root_;
  std::string id_;
  Fd fd_;
  Fd notes_;  // when they were first needed
  std::uint64_t size_;
  std::uint64_t flushed_ = 0;
  bool may_hold_room_;      // beyond its size: a crash may keep it and lose what filled it
  bool committed_ = false;  // the descriptor is that of the blob
};

}  // namespace convoy::storage
