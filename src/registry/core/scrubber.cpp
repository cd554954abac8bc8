#include "registry/core/scrubber.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/blob_hasher.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::registry {
namespace {

constexpr const char* kNote = "scrub.bucket";
constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kMaxBad = 10'000;

/// Leaves the page cache as it was: what only a scrub reads must not push hot blobs out of memory.
Status read_gently(const storage::BlobReader& reader, std::uint64_t at, MutableByteView out) {
  if (reader.read_now(at, out)) return {};
  auto done = reader.read_at(at, out);
  storage::give_pages_up(reader.fd(), at, out.size());
  return done;
}

/// `from_disk`: what is cached is dropped, so that a second look is one at the disk.
void advise(const storage::BlobReader& reader, bool from_disk) {
  if (reader.fd() < 0) return;
  if (from_disk) storage::give_pages_up(reader.fd(), 0, reader.size());
  ::posix_fadvise(reader.fd(), 0, 0, POSIX_FADV_RANDOM);  // no reading ahead
}

}  // namespace

void lower_thread_priority() {
  constexpr int kWhoProcess = 1;       // IOPRIO_WHO_PROCESS
  constexpr int kIdleClass = 3 << 13;  // IOPRIO_CLASS_IDLE
  constexpr int kLeastNice = 19;
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  static_cast<void>(::syscall(SYS_ioprio_set, kWhoProcess, static_cast<int>(thread), kIdleClass));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, kLeastNice));
}

struct Scrubber::Current {
  explicit Current(oci::Digest d) : digest(d), hasher(d.algorithm()) {}

  oci::Digest digest;
  std::unique_ptr<storage::BlobReader> reader;
  crypto::BlobHasher hasher;
  std::uint64_t at = 0;
  bool second_look = false;
  Bytes buffer = Bytes(kBuffer);
};

Scrubber::Scrubber(storage::BlobStore& blobs, storage::RegistryUpkeep& upkeep, DigestGate& gate,
                   bool dry_run, std::function<void(const ScrubReport::Bad&)> on_bad)
    : blobs_(blobs), upkeep_(upkeep), gate_(gate), on_bad_(std::move(on_bad)) {
  report_.dry_run = dry_run;
}

Scrubber::~Scrubber() = default;

Result<bool> Scrubber::step(std::uint64_t budget) {
  if (report_.done) return false;
  if (!started_) {
    auto note = upkeep_.note(kNote);
    if (!note) return std::move(note).error();
    unsigned from = 0;
    std::from_chars(note->data(), note->data() + note->size(), from);
    bucket_ = from < storage::BlobStore::kBuckets ? from : 0;
    report_.buckets_done = bucket_;
    started_ = true;
  }
  Status done;
  if (current_) {
    done = read_on(budget);
  } else if (!waiting_.empty()) {
    const oci::Digest digest = waiting_.back().digest;
    waiting_.pop_back();
    done = begin(digest, false);
  } else {
    done = next_bucket();
  }
  if (!done) return std::move(done).error();
  return !report_.done;
}

Status Scrubber::next_bucket() {
  report_.buckets_done = bucket_;
  if (bucket_ >= storage::BlobStore::kBuckets) {
    if (auto done = upkeep_.put_note(kNote, ""); !done) return done;
    report_.done = true;
    return {};
  }
  auto listed = blobs_.list(bucket_);
  if (!listed) return std::move(listed).error();
  waiting_ = std::move(*listed);
  // An empty bucket is not worth a write.
  if (!waiting_.empty()) {
    if (auto done = upkeep_.put_note(kNote, std::to_string(bucket_)); !done) return done;
  }
  ++bucket_;
  return {};
}

Status Scrubber::begin(const oci::Digest& digest, bool second_look) {
  auto reader = blobs_.open(digest);
  if (!reader) {
    if (reader.error().kind() != ErrorClass::not_found) report_bad(digest, "blob_read");
    return {};
  }
  current_ = std::make_unique<Current>(digest);
  current_->reader = std::move(*reader);
  current_->second_look = second_look;
  advise(*current_->reader, second_look);
  return {};
}

Status Scrubber::read_on(std::uint64_t budget) {
  Current& c = *current_;
  const std::uint64_t stop = std::min(c.reader->size(), c.at + budget);
  const std::uint64_t from = c.at;
  while (c.at < stop) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(c.buffer.size(), stop - c.at));
    const MutableByteView part = MutableByteView(c.buffer).first(n);
    if (auto done = read_gently(*c.reader, c.at, part); !done) {
      report_bad(c.digest, "blob_read");
      current_.reset();
      return {};
    }
    c.hasher.update(part);
    c.at += n;
  }
  report_.bytes += stop - from;
  if (c.at < c.reader->size()) return {};
  return finish();
}

Status Scrubber::finish() {
  const std::unique_ptr<Current> c = std::move(current_);
  if (c->hasher.digest() != c->digest) {
    if (!c->second_look) return begin(c->digest, true);
    ++report_.blobs;
    return condemn(c->digest);
  }
  ++report_.blobs;
  const std::vector<Hash256> leaves = c->hasher.take_leaves();
  auto stored = blobs_.leaves(c->digest);
  if (stored && *stored == leaves) return {};
  if (!stored && stored.error().code() == "blob_read") return {};
  ++report_.leaves_mended;
  if (report_.dry_run) return {};
  auto mended = blobs_.replace_leaves(c->digest, leaves);
  if (!mended && mended.error().kind() == ErrorClass::not_found) return {};
  return mended;
}

Status Scrubber::condemn(const oci::Digest& digest) {
  if (!report_.dry_run) {
    const auto gate = gate_.close(digest);
    if (auto done = upkeep_.quarantine(digest, "digest_mismatch"); !done) return done;
    auto done = blobs_.quarantine(digest);
    if (!done && done.error().kind() != ErrorClass::not_found) return done;
  }
  report_bad(digest, "digest_mismatch");
  return {};
}

void Scrubber::report_bad(const oci::Digest& digest, std::string reason) {
  ScrubReport::Bad bad{digest, std::move(reason)};
  if (on_bad_) on_bad_(bad);
  if (report_.bad.size() < kMaxBad) report_.bad.push_back(std::move(bad));
}

}  // namespace convoy::registry
