#pragma once

#include <map>
#include <memory>

#include "agent/fetch/authorizer.hpp"
#include "agent/fetch/download.hpp"
#include "agent/fetch/swarm_seat.hpp"

namespace convoy::agent {

/// Single flight: at most one download of a digest at a time, however many ask. One thread.
class Downloads {
 public:
  /// `env.tasks` is replaced by the object's own group.
  Downloads(net::Executor, net::WorkerPool&, storage::CacheStore&, SwarmSeats&, const Clock&,
            Duration stall, std::shared_ptr<net::RateLimiter> registry_rate, Logger);

  struct Joined {
    std::shared_ptr<Download> download;
    bool started = false;  ///< by this call
  };
  /// The download of the permitted blob, running. Errors "disk_full", "store_open" (also when it
  /// runs already and is not to be shared); then the caller has to do without the cache. Must not
  /// be asked for an empty blob.
  net::Task<Result<Joined>> join(BlobAsk, Permit);
  /// Whether the blob is on its way from the registry that is asked, or with the tree that it
  /// signed: the word of another registry opens nothing.
  bool shared(const BlobAsk&, const Permit&) const;
  /// Lets the registry's word open the stored blob, which it delivered.
  net::Task<void> add_source(oci::Digest, oci::RegistryHost);
  /// Whether the digest lately turned out wrong, or found the disk full, so that it should not be
  /// tried through the cache again at once.
  bool spoilt(const oci::Digest&) const;
  std::size_t running() const { return running_.size(); }
  /// Ends all. None may be joined afterwards.
  net::Task<void> stop();

 private:
  struct Running {
    std::shared_ptr<Download> download;
    oci::RegistryHost registry;
  };
  struct Origin {
    BlobAsk ask;
    std::optional<SwarmPass> pass;
  };
  net::Task<Result<std::shared_ptr<Download>>> start(BlobAsk, Permit);
  void ended(Download&, const Origin&);
  net::Task<void> conclude(oci::Digest, oci::RegistryHost);
  void spoil(const oci::Digest&);

  net::Executor executor_;
  net::TaskGroup tasks_;
  DownloadEnv env_;
  SwarmSeats& seats_;
  net::Notify opened_;
  std::map<oci::Digest, Running> running_;
  std::map<oci::Digest, SteadyTime> spoilt_until_;
};

}  // namespace convoy::agent
