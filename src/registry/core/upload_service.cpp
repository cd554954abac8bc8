#include "registry/core/upload_service.hpp"

#include <algorithm>
#include <set>

#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kStep = 256 * 1024;  // buffered for each upload at most
constexpr std::uint64_t kRehashStep =
    8 * 1024 * 1024;  // of one turn on a worker, so that others get theirs
constexpr Duration kAbandoned =
    std::chrono::minutes(10);  // idle this long, it may make room for a new one
constexpr std::uint64_t kQuotaAhead = 4 * 1024 * 1024;  // so that not each step asks for more

}  // namespace

UploadHold::UploadHold(std::shared_ptr<Upload> upload) : upload_(std::move(upload)) {
  upload_->held_ = true;
}

UploadHold::~UploadHold() {
  if (upload_) upload_->held_ = false;
}

UploadService::UploadService(storage::BlobStore& blobs, storage::RegistryMeta& meta,
                             DigestGate& gate, QuotaService& quota, net::WorkerPool& pool,
                             const Clock& clock, Random& random, UploadLimits limits)
    : blobs_(blobs),
      meta_(meta),
      gate_(gate),
      quota_(quota),
      pool_(pool),
      clock_(clock),
      random_(random),
      limits_(limits) {}

Status UploadService::recover() {
  auto records = meta_.uploads();
  if (!records) return std::move(records).error();
  auto files = blobs_.list_uploads();
  if (!files) return std::move(files).error();
  std::set<std::string> orphans(files->begin(), files->end());
  for (auto& record : *records) {
    if (orphans.erase(record.id) == 0) {
      if (auto done = meta_.delete_upload(record.id); !done) return done;
      continue;
    }
    const std::string id = record.id;
    std::shared_ptr<Upload> upload(new Upload(std::move(record)));
    upload->touched_ = clock_.steady();
    uploads_.emplace(id, std::move(upload));
  }
  for (const auto& id : orphans) {
    if (auto file = blobs_.reopen_upload(id)) (*file)->discard();
  }
  return {};
}

Result<std::shared_ptr<Upload>> UploadService::room_for(const std::string& subject) const {
  std::size_t count = 0;
  std::shared_ptr<Upload> oldest;
  for (const auto& [id, upload] : uploads_) {
    if (upload->record_.subject != subject) continue;
    ++count;
    if (upload->held_ || clock_.steady() - upload->touched_ < kAbandoned) continue;
    if (!oldest || upload->touched_ < oldest->touched_) oldest = upload;
  }
  if (count < limits_.per_user) return nullptr;
  if (!oldest) return exhausted("too_many_uploads");
  return oldest;
}

net::Task<Result<UploadHold>> UploadService::begin(oci::RepoName repository, std::string subject,
                                                   oci::DigestAlgorithm algorithm) {
  auto room = room_for(subject);
  if (!room) co_return std::move(room).error();
  std::string id = random_.hex(16);
  storage::UploadRecord record{std::move(id), std::move(repository), std::move(subject),
                               clock_.wall()};
  std::shared_ptr<Upload> upload(new Upload(std::move(record)));
  upload->hashes_ = crypto::BlobHasher(algorithm);
  upload->touched_ = clock_.steady();
  UploadHold hold(upload);
  // Before anything is waited for, so that those that begin meanwhile count it.
  uploads_.emplace(upload->id(), upload);
  if (*room) {
    const UploadHold leaving(*room);
    co_await cancel(*room);
  }
  auto job = [this, u = upload.get()]() -> Status {
    auto file = blobs_.create_upload(u->record_.id);
    if (!file) return std::move(file).error();
    u->file_ = std::move(*file);
    u->notes_.emplace(u->record_.id, limits_.note_step);
    return meta_.put_upload(u->record_);
  };
  Status made = co_await pool_.run(std::move(job));
  if (!made) {
    co_await cancel(upload);
    co_return std::move(made).error();
  }
  co_return std::move(hold);
}

net::Task<Result<UploadHold>> UploadService::find(oci::RepoName repository, std::string subject,
                                                  std::string id) {
  const auto it = uploads_.find(id);
  if (it == uploads_.end() || it->second->record_.repository != repository ||
      it->second->record_.subject != subject) {
    co_return not_found("blob_upload_unknown");
  }
  if (it->second->held_) co_return exhausted("upload_busy");
  auto upload = it->second;
  upload->touched_ = clock_.steady();
  UploadHold hold(upload);
  auto opened = co_await open_file(upload);
  if (!opened) co_return std::move(opened).error();
  co_return std::move(hold);
}

net::Task<Status> UploadService::open_file(std::shared_ptr<Upload> upload) {
  if (upload->file_) co_return Status{};
  auto job = [this, u = upload.get()]() -> Status {
    auto file = blobs_.reopen_upload(u->record_.id);
    if (!file) return std::move(file).error();
    u->file_ = std::move(*file);
    u->notes_.emplace(u->record_.id, limits_.note_step);
    if (auto known = u->notes_->restore(*u->file_)) u->hashes_ = std::move(*known);
    return {};
  };
  Status opened = co_await pool_.run(std::move(job));
  if (opened) upload->size_ = upload->file_->size();
  co_return opened;
}

Status UploadService::reserve(Upload& upload, std::uint64_t bytes, std::uint64_t ahead) {
  if (!upload.quota_) {
    auto hold = quota_.reserve(upload.record_.repository, 0);
    if (!hold) return std::move(hold).error();
    upload.quota_ = std::move(*hold);
  }
  return upload.quota_->grow(bytes, ahead);
}

Status UploadService::write(Upload& upload, ByteView bytes) {
  if (auto done = upload.file_->append(bytes); !done) return done;
  upload.hashes_.update(bytes);
  return keep_notes(upload);
}

Status UploadService::keep_notes(Upload& upload) {
  auto kept = upload.notes_->keep(*upload.file_, upload.hashes_);
  if (!kept) upload.lost_ = true;
  return kept;
}

net::Task<Status> UploadService::append(std::shared_ptr<Upload> upload, BodyReader read,
                                        std::optional<std::uint64_t> expected) {
  if (expected && *expected > limits_.blob_bytes - std::min(upload->size_, limits_.blob_bytes)) {
    co_return too_large("blob_too_large");
  }
  Status ready = co_await catch_up(upload);
  if (!ready) co_return ready;
  const std::uint64_t start = upload->size_;
  if (expected && quota_.limited(upload->record_.repository)) {
    // The answer to a push that does not fit comes before its bytes.
    auto job = [this, u = upload.get(), all = start + *expected] { return reserve(*u, all, 0); };
    Status room = co_await pool_.run(std::move(job));
    if (!room) co_return room;
  }
  Status done = co_await take(upload, std::move(read), expected);
  co_await settle(upload);
  if (done && expected && upload->size_ - start != *expected) co_return invalid("size_invalid");
  co_return done;
}

net::Task<Status> UploadService::take(std::shared_ptr<Upload> upload, BodyReader read,
                                      std::optional<std::uint64_t> expected) {
  Bytes buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(expected.value_or(kStep) + 1, kStep)));
  bool more = true;
  Status broken;
  while (more && broken) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      auto got = co_await read(MutableByteView(buffer).subspan(filled));
      const std::size_t count = got ? *got : 0;
      if (!got) broken = std::move(got).error();
      more = count > 0;
      if (!more) break;
      filled += count;
    }
    if (filled == 0) break;
    if (filled > limits_.blob_bytes - upload->size_) co_return too_large("blob_too_large");
    const ByteView bytes = ByteView(buffer).first(filled);
    const std::uint64_t end = upload->size_ + filled;
    const std::uint64_t ahead = expected ? 0 : kQuotaAhead;
    auto job = [this, u = upload.get(), bytes, end, ahead]() -> Status {
      if (auto room = reserve(*u, end, ahead); !room) return room;
      return write(*u, bytes);
    };
    Status written = co_await pool_.run(std::move(job));
    if (upload->lost_) co_await cancel(upload);
    if (!written) co_return written;
    upload->size_ += filled;
    upload->touched_ = clock_.steady();
  }
  co_return broken;
}

net::Task<void> UploadService::settle(std::shared_ptr<Upload> upload) {
  if (!upload->quota_ || upload->quota_->bytes() <= upload->size_) co_return;
  auto job = [u = upload.get()] { u->quota_->shrink(u->size_); };
  co_await pool_.run(std::move(job));
}

net::Task<Status> UploadService::catch_up(std::shared_ptr<Upload> upload) {
  Bytes buffer;
  if (upload->hashes_.size() < upload->size_) buffer.resize(kStep);
  while (upload->hashes_.size() < upload->size_) {
    auto job = [u = upload.get(), &buffer]() -> Status {
      auto& hashes = u->hashes_;
      const std::uint64_t stop = std::min(hashes.size() + kRehashStep, u->size_);
      while (hashes.size() < stop) {
        const auto n = std::min<std::uint64_t>(kStep, stop - hashes.size());
        const auto part = MutableByteView(buffer).first(static_cast<std::size_t>(n));
        if (auto done = u->file_->read_at(hashes.size(), part); !done) return done;
        hashes.update(part);
      }
      return keep_notes(*u);
    };
    Status done = co_await pool_.run(std::move(job));
    if (upload->lost_) co_await cancel(upload);
    if (!done) co_return done;
  }
  co_return Status{};
}

Status UploadService::commit(Upload& upload, const oci::Digest& digest) {
  const storage::BlobFacts facts{digest, upload.size_, upload.hashes_.take_leaves()};
  if (auto room = reserve(upload, upload.size_, 0); !room) return room;
  {
    const auto gate = gate_.close(digest);
    auto bad = meta_.upkeep().is_quarantined(digest);
    if (!bad) return std::move(bad).error();
    if (*bad) {
      // A crash may have left the bad bytes where the good ones belong.
      auto aside = blobs_.quarantine(digest);
      if (!aside && aside.error().kind() != ErrorClass::not_found) return aside;
    }
    if (auto done = upload.file_->commit(facts); !done) {
      upload.lost_ = !blobs_.reopen_upload(upload.record_.id).ok();
      return done;
    }
    auto linked = meta_.link_blob(upload.record_.repository, digest, upload.size_);
    if (!linked) return linked;
  }
  upload.quota_.reset();
  return meta_.delete_upload(upload.record_.id);
}

net::Task<Result<std::uint64_t>> UploadService::finish(std::shared_ptr<Upload> upload,
                                                       oci::Digest digest) {
  if (upload->hashes_.algorithm() != digest.algorithm()) {
    upload->hashes_ = crypto::BlobHasher(digest.algorithm());
  }
  Status ready = co_await catch_up(upload);
  if (!ready) co_return std::move(ready).error();
  if (upload->hashes_.digest() != digest) {
    co_await cancel(upload);
    co_return invalid("digest_mismatch");
  }
  auto job = [this, u = upload.get(), digest]() -> Status {
    Status done = commit(*u, digest);
    // The hash states are used up; after trouble with the disk they start again from the file.
    if (!done) u->hashes_ = crypto::BlobHasher(digest.algorithm());
    return done;
  };
  Status committed = co_await pool_.run(std::move(job));
  if (upload->lost_) co_await cancel(upload);
  if (!committed) co_return std::move(committed).error();
  uploads_.erase(upload->id());
  co_return upload->size_;
}

Result<std::uint64_t> UploadService::mount(const oci::RepoName& from, const oci::RepoName& to,
                                           const oci::Digest& digest) {
  auto size = meta_.blob_size(from, digest);
  if (!size) return size;
  QuotaHold hold;
  auto there = meta_.has_blob(to, digest);
  if (!there) return std::move(there).error();
  if (!*there) {
    auto reserved = quota_.reserve(to, *size);
    if (!reserved) return std::move(reserved).error();
    hold = std::move(*reserved);
  }
  return meta_.mount_blob(from, to, digest);
}

net::Task<void> UploadService::cancel(std::shared_ptr<Upload> upload) {
  uploads_.erase(upload->id());
  auto job = [this, u = upload.get()]() -> Status {
    if (!u->file_) {
      if (auto file = blobs_.reopen_upload(u->record_.id)) u->file_ = std::move(*file);
    }
    if (u->file_) u->file_->discard();
    u->quota_.reset();
    return meta_.delete_upload(u->record_.id);
  };
  // A record that could not be deleted is swept at the next start.
  Status done = co_await pool_.run(std::move(job));
  static_cast<void>(done.ok());
}

net::Task<std::size_t> UploadService::expire() {
  std::vector<std::shared_ptr<Upload>> old;
  for (const auto& [id, upload] : uploads_) {
    const auto age = clock_.wall() - upload->record_.started;
    const auto idle = clock_.steady() - upload->touched_;
    if (upload->held_) continue;
    if (age > limits_.lifetime || idle > limits_.abandoned) old.push_back(upload);
  }
  for (const auto& upload : old) {
    if (upload->held_) continue;
    const UploadHold hold(upload);
    co_await cancel(upload);
  }
  co_return old.size();
}

}  // namespace convoy::registry
