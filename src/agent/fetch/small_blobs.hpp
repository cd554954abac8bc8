#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/fetch/ask.hpp"
#include "agent/fetch/small_pick.hpp"
#include "base/log.hpp"
#include "net/metrics.hpp"
#include "net/rate_limiter.hpp"
#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "storage/blob/cache_store.hpp"
#include "wire/http/message.hpp"

namespace convoy::agent {

/// A manifest that a registry gave to somebody, and by which credential.
struct ManifestPull {
  UpstreamPtr upstream;
  oci::RepoName repository;
  std::optional<Secret> authorization;  ///< as BlobAsk has it
  bool own_credential = false;
  std::string request_id;
  std::string remote_ip;
};

/// What taking small blobs ahead needs. The references outlive it.
struct SmallBlobsEnv {
  net::Executor executor;
  net::WorkerPool& pool;
  storage::CacheStore& cache;
  const Clock& clock;
  std::uint64_t limit;                              ///< blobs below it are small; 0: none is
  std::shared_ptr<net::RateLimiter> registry_rate;  ///< null: none
  std::shared_ptr<net::Metrics> metrics;
  Logger log;
};

/// Takes the small blobs of a manifest from its registry into the cache before the engine asks for
/// them, with the credential that the manifest was given to, so that a registry that goes away in
/// between fails no pull. Only help: whatever goes wrong leaves the engine's own request as it was,
/// and who may have a cached blob is decided at that request. One thread.
class SmallBlobs {
 public:
  /// Manifests that are copied or worked on at once; further ones are let pass.
  static constexpr std::size_t kMaxAtOnce = 16;

  explicit SmallBlobs(SmallBlobsEnv);

  /// Collects a manifest on its way to a client. Must not outlive the object it is of.
  class Copy {
   public:
    Copy(SmallBlobs&, ManifestPull, std::string content_type);
    ~Copy();
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;
    void add(ByteView);
    /// That was all of it: its blobs are fetched in the background.
    void done();

   private:
    SmallBlobs& owner_;
    ManifestPull pull_;
    std::string content_type_;
    std::string body_;
    bool whole_ = true;
  };
  /// Null when the answer is not a whole image manifest, or nothing is to be taken now.
  std::unique_ptr<Copy> copy(ManifestPull, const http::ResponseHead&);

  /// Waits while the blob is being fetched, for `patience` at most.
  net::Task<void> wait(oci::Digest, Duration patience);
  /// Whether the blob was taken ahead and nobody had it since; true once for each.
  bool first_use(const oci::Digest&);

  /// While it lives the blob is not fetched: a request is fetching it itself.
  class Claim {
   public:
    Claim(SmallBlobs& owner, const oci::Digest& digest)
        : owner_(owner), at_(owner.claimed_.insert(digest)) {}
    ~Claim() { owner_.claimed_.erase(at_); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    SmallBlobs& owner_;
    std::multiset<oci::Digest>::iterator at_;
  };

  /// Ends all. Nothing is fetched afterwards.
  net::Task<void> stop();

 private:
  net::Task<void> run(ManifestPull, std::string content_type, std::string body);
  net::Task<void> take_all(ManifestPull, std::vector<SmallBlob>);
  net::Task<Status> take(BlobAsk, std::uint64_t size, Deadline);
  net::Task<Status> into_cache(BlobAsk, std::uint64_t size, Deadline);
  net::Task<Result<Bytes>> fetch(BlobAsk, std::uint64_t size, Deadline);
  void count(const char* outcome);

  SmallBlobsEnv env_;
  net::TaskGroup tasks_;
  net::Notify landed_;
  std::size_t copies_ = 0;
  std::set<Hash256> manifests_;  ///< being worked on
  std::set<oci::Digest> flying_;
  std::multiset<oci::Digest> claimed_;
  std::set<oci::Digest> unused_;
};

}  // namespace convoy::agent
