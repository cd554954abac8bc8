#pragma once

#include <optional>
#include <string_view>

#include "crypto/blob_hasher.hpp"
#include "storage/blob/blob_store.hpp"

namespace convoy::registry {

/// The hash state of an upload, written beside its file from time to time, so that after a restart
/// only the bytes since then are hashed again (docs/adr/0008). Each note holds the leaves since the
/// one before and the state of the digest, and is sealed with a hash over all notes so far. What it
/// tells of was synced before it was written. Calls block; one thread at a time.
class UploadNotes {
 public:
  /// Of the upload of this id; a note that is due tells of at least `step` bytes.
  UploadNotes(std::string_view id, std::uint64_t step);

  /// Writes a note if one is due. Errors: those of BlobUpload::sync(), which end the upload. A note
  /// that cannot be written is no error: there will be no more of them.
  Status keep(storage::BlobUpload&, const crypto::BlobHasher&);
  /// What the notes of an earlier process tell, up to the first that is damaged or incomplete; no
  /// note behind that one is left. Nothing when there is none, or when they tell of more than the
  /// file holds: it is not the file that they were written beside.
  std::optional<crypto::BlobHasher> restore(storage::BlobUpload&);

 private:
  std::uint64_t step_;
  Hash256 seal_;             // of the last note
  std::uint64_t noted_ = 0;  // bytes of the upload that the notes tell of
  bool broken_ = false;
};

}  // namespace convoy::registry
