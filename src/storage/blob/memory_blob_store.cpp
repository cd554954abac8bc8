#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "storage/blob/blob_store.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::storage {
namespace {

struct StoredBlob {
  std::shared_ptr<const Bytes> bytes;
  std::vector<Hash256> leaves;
};

struct StoredUpload {
  Bytes bytes;
  Bytes notes;
};

struct State {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<StoredUpload>> uploads;
  std::map<oci::Digest, StoredBlob> blobs;
  std::map<oci::Digest, StoredBlob> aside;
};

Status copy_range(const Bytes& from, std::uint64_t offset, MutableByteView out) {
  if (offset > from.size() || out.size() > from.size() - offset) {
    return internal_error("blob_read", "range outside");
  }
  std::memcpy(out.data(), from.data() + offset, out.size());
  return {};
}

class MemoryReader final : public BlobReader {
 public:
  explicit MemoryReader(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_->size(); }
  int fd() const override { return -1; }
  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    return copy_range(*bytes_, offset, out);
  }
  bool read_now(std::uint64_t offset, MutableByteView out) const override {
    return read_at(offset, out).ok();
  }

 private:
  std::shared_ptr<const Bytes> bytes_;
};

class MemoryUpload final : public BlobUpload {
 public:
  MemoryUpload(std::shared_ptr<State> state, std::string id, std::shared_ptr<StoredUpload> upload)
      : state_(std::move(state)), id_(std::move(id)), upload_(std::move(upload)) {}
  const std::string& id() const override { return id_; }
  std::uint64_t size() const override { return upload_->bytes.size(); }
  Status append(ByteView bytes) override {
    upload_->bytes.insert(upload_->bytes.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    return copy_range(upload_->bytes, offset, out);
  }
  Status sync() override { return {}; }
  Status add_note(ByteView note) override {
    upload_->notes.insert(upload_->notes.end(), note.begin(), note.end());
    return {};
  }
  Result<std::size_t> read_notes(std::uint64_t offset, MutableByteView out) override {
    const Bytes& notes = upload_->notes;
    const std::size_t from =
        static_cast<std::size_t>(std::min<std::uint64_t>(offset, notes.size()));
    const std::size_t n = std::min(notes.size() - from, out.size());
    std::copy_n(notes.begin() + static_cast<std::ptrdiff_t>(from), n, out.begin());
    return n;
  }
  Status cut_notes(std::uint64_t size) override {
    if (size < upload_->notes.size()) upload_->notes.resize(static_cast<std::size_t>(size));
    return {};
  }
  Status commit(const BlobFacts& facts) override {
    if (facts.size != upload_->bytes.size() || facts.leaves.size() != bt::block_count(facts.size)) {
      return internal_error("blob_write", "facts do not fit the upload");
    }
    const std::lock_guard lock(state_->mutex);
    const std::shared_ptr<const Bytes> bytes(upload_, &upload_->bytes);
    state_->blobs.try_emplace(facts.digest, StoredBlob{bytes, facts.leaves});
    state_->uploads.erase(id_);
    return {};
  }
  void discard() noexcept override {
    const std::lock_guard lock(state_->mutex);
    state_->uploads.erase(id_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string id_;
  std::shared_ptr<StoredUpload> upload_;
};

class MemoryBlobStore final : public BlobStore {
 public:
  Result<std::unique_ptr<BlobUpload>> create_upload(const std::string& id) override {
    if (id.size() != 32 || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
      return invalid("blob_upload_invalid");
    }
    const std::lock_guard lock(state_->mutex);
    auto [it, fresh] = state_->uploads.try_emplace(id, std::make_shared<StoredUpload>());
    if (!fresh) return internal_error("blob_write", "the id is taken");
    return std::make_unique<MemoryUpload>(state_, id, it->second);
  }
  Result<std::unique_ptr<BlobUpload>> reopen_upload(const std::string& id) override {
    const std::lock_guard lock(state_->mutex);
    const auto it = state_->uploads.find(id);
    if (it == state_->uploads.end()) return not_found("blob_upload_unknown");
    return std::make_unique<MemoryUpload>(state_, id, it->second);
  }
  Result<std::vector<std::string>> list_uploads() override {
    const std::lock_guard lock(state_->mutex);
    std::vector<std::string> out;
    for (const auto& [id, upload] : state_->uploads) out.push_back(id);
    return out;
  }
  Result<std::unique_ptr<BlobReader>> open(const oci::Digest& digest) override {
    auto blob = find(digest);
    if (!blob) return std::move(blob).error();
    return std::make_unique<MemoryReader>(blob->bytes);
  }
  Result<std::vector<Hash256>> leaves(const oci::Digest& digest) override {
    auto blob = find(digest);
    if (!blob) return std::move(blob).error();
    return std::move(blob->leaves);
  }
  Result<std::uint64_t> size(const oci::Digest& digest) override {
    auto blob = find(digest);
    if (!blob) return std::move(blob).error();
    return std::uint64_t{blob->bytes->size()};
  }
  Status remove(const oci::Digest& digest) override {
    const std::lock_guard lock(state_->mutex);
    if (state_->blobs.erase(digest) == 0) return not_found("blob_unknown");
    return {};
  }
  Result<std::vector<StoredBlobInfo>> list(unsigned bucket) override {
    if (bucket >= kBuckets) return invalid("blob_bucket");
    const std::lock_guard lock(state_->mutex);
    std::vector<StoredBlobInfo> out;
    for (const auto& [digest, blob] : state_->blobs) {
      const unsigned base = digest.algorithm() == oci::DigestAlgorithm::sha256 ? 0 : kBuckets / 2;
      if (base + digest.raw()[0] == bucket) out.push_back({digest, blob.bytes->size(), {}});
    }
    return out;
  }
  Status quarantine(const oci::Digest& digest) override {
    const std::lock_guard lock(state_->mutex);
    auto node = state_->blobs.extract(digest);
    if (node.empty()) return not_found("blob_unknown");
    state_->aside.insert_or_assign(digest, std::move(node.mapped()));
    return {};
  }
  Status drop_quarantined(const oci::Digest& digest) override {
    const std::lock_guard lock(state_->mutex);
    state_->aside.erase(digest);
    return {};
  }
  Status replace_leaves(const oci::Digest& digest, const std::vector<Hash256>& leaves) override {
    const std::lock_guard lock(state_->mutex);
    const auto it = state_->blobs.find(digest);
    if (it == state_->blobs.end()) return not_found("blob_unknown");
    it->second.leaves = leaves;
    return {};
  }

 private:
  Result<StoredBlob> find(const oci::Digest& digest) {
    const std::lock_guard lock(state_->mutex);
    const auto it = state_->blobs.find(digest);
    if (it == state_->blobs.end()) return not_found("blob_unknown");
    return it->second;
  }
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace

std::unique_ptr<BlobStore> make_memory_blob_store() { return std::make_unique<MemoryBlobStore>(); }

}  // namespace convoy::storage
