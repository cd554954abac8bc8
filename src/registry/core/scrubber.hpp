#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/hasher.hpp"
#include "base/result.hpp"
#include "crypto/hash.hpp"
#include "registry/core/digest_gate.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {

struct ScrubReport {
  bool done = false;
  bool dry_run = false;  ///< bad blobs are reported only
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
  unsigned buckets_done = 0;  ///< of BlobStore::kBuckets
  std::uint64_t leaves_mended = 0;
  struct Bad {
    oci::Digest digest;
    std::string reason;  ///< "digest_mismatch", "blob_read"
  };
  std::vector<Bad> bad;  ///< at most 10,000
};

/// Hashes every stored blob again. One that does not match its digest, twice in a row, is
/// quarantined: first by the metadata, so that nothing serves it any more, then in the store. One
/// that cannot be read is reported only: the fault may be the disk's, and reading it fails by
/// itself. Merkle leaves that do not fit good bytes are made anew. A pass that is cut off goes on
/// where it was. Blocks, one thread at a time; meant for a thread of low priority.
class Scrubber {
 public:
  /// `on_bad` is told of each bad blob at once.
  Scrubber(storage::BlobStore&, storage::RegistryUpkeep&, DigestGate&, bool dry_run,
           std::function<void(const ScrubReport::Bad&)> on_bad);
  ~Scrubber();

  /// Reads at most `budget` bytes of one blob, or lists a bucket. False when the pass is over.
  Result<bool> step(std::uint64_t budget);
  const ScrubReport& report() const { return report_; }

 private:
  struct Current;
  Status next_bucket();
  Status begin(const oci::Digest&, bool second_look);
  Status read_on(std::uint64_t budget);
  Status finish();
  Status condemn(const oci::Digest&);
  void report_bad(const oci::Digest&, std::string reason);

  storage::BlobStore& blobs_;
  storage::RegistryUpkeep& upkeep_;
  DigestGate& gate_;
  std::function<void(const ScrubReport::Bad&)> on_bad_;
  ScrubReport report_;
  bool started_ = false;
  unsigned bucket_ = 0;
  std::vector<storage::StoredBlobInfo> waiting_;
  std::unique_ptr<Current> current_;
};

/// The calling thread's disk reads and its share of the processor come after all others' (best
/// effort).
void lower_thread_priority();

}  // namespace convoy::registry
