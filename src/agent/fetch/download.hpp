#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/fetch/ask.hpp"
#include "agent/fetch/blob_digest.hpp"
#include "agent/fetch/piece_marks.hpp"
#include "agent/fetch/pull_log.hpp"
#include "base/log.hpp"
#include "net/rate_limiter.hpp"
#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "storage/blob/cache_store.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// What every download uses. The references outlive it.
struct DownloadEnv {
  net::Executor executor;
  net::WorkerPool& pool;
  storage::CacheStore& cache;
  net::TaskGroup& tasks;
  const Clock& clock;
  Duration stall;
  std::shared_ptr<net::RateLimiter> registry_rate;  ///< null: none
  Logger log;
};

/// One blob on its way into the cache, whoever waits for it and wherever its pieces come from: the
/// swarm, the registry, a file of an earlier run. Readers take bytes from the file as soon as they
/// stand there in order; the digest of the whole is checked as they come, and the last piece is
/// held back until it is. Shared by its readers and its own tasks; one thread.
class Download : public std::enable_shared_from_this<Download> {
 public:
  enum class State : std::uint8_t {
    opening,
    running,
    complete,  ///< digest checked: every byte may be read
    failed,
  };
  using Ended = std::function<void(Download&)>;

  /// `has_tree`: the metadata is signed; else only digest and size of it are known.
  Download(const DownloadEnv&, bt::BlobMeta, bool has_tree);

  /// Opens the file. Errors "disk_full", "store_open".
  net::Task<Status> open();
  /// Starts the check of the digest, with the swarm's torrent or without. `ended` is called once,
  /// when the blob is complete and stored, or failed.
  void run(std::shared_ptr<swarm::Torrent>, Ended ended);

  State state() const { return state_; }
  const std::optional<Error>& failure() const { return failure_; }
  /// Failed because the disk is full.
  bool out_of_room() const { return failure_ && failure_->code() == "disk_full"; }
  const bt::BlobMeta& meta() const { return meta_; }
  bool has_tree() const { return has_tree_; }
  const std::shared_ptr<storage::PieceFile>& file() const { return file_; }
  /// Taken along by whoever has the next bytes at hand.
  const std::shared_ptr<BlobDigest>& digest() const { return digest_; }
  const std::shared_ptr<swarm::Torrent>& torrent() const { return torrent_; }
  /// Every piece came through the swarm's own checks.
  bool swarm_complete() const { return torrent_ && torrent_->stats().complete; }

  /// Bytes that stand in the file in a row from `offset`.
  std::uint64_t readable_from(std::uint64_t offset) const;
  /// Those of them that a client may have now.
  std::uint64_t releasable_from(std::uint64_t offset) const;
  /// Waits for a change at `offset`, a fraction of the stall time at most. False when the caller
  /// was cancelled.
  net::Task<bool> wait(std::uint64_t offset);
  /// Lets the registry bring the bytes from `offset` on, with the credential of `ask`. Does nothing
  /// when it is on its way there already.
  void call_registry(std::uint64_t offset, BlobAsk ask);
  bool registry_active() const { return !pumps_.empty(); }
  /// The registry failed when it was last asked, and no peer is connected.
  bool out_of_sources() const;
  /// How far the registry has been read, where it is the only source.
  std::uint64_t sequential() const { return sequential_; }

  /// While a reader is there the download goes on; `offset` tells the swarm which pieces first.
  class Reader {
   public:
    Reader(std::shared_ptr<Download>, std::uint64_t offset);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    void move(std::uint64_t offset);

   private:
    std::shared_ptr<Download> download_;
    std::uint64_t id_ = 0;
  };
  std::size_t readers() const { return readers_; }

  /// What it has received so far, by source.
  PullBytes received() const;
  std::uint64_t swarm_bytes() const;
  void fail(Error);

 private:
  struct Pump {
    std::uint32_t piece = 0;
  };

  net::Task<void> check_digest();
  net::Task<bool> hash_up_to(std::uint64_t end);
  net::Task<void> conclude(Bytes raw);
  net::Task<void> store();
  net::Task<void> resume_claims(std::vector<bool> claims);
  net::Task<void> pump(std::shared_ptr<Pump>, BlobAsk);
  net::Task<Status> pump_piece(Pump&, class RegistrySource&, Bytes& buffer);
  net::Task<Status> keep_piece(std::uint32_t piece, MutableByteView bytes);
  bool pump_wanted(const Pump&) const;
  bool forsaken();

  DownloadEnv env_;
  bt::BlobMeta meta_;
  bool has_tree_;
  State state_ = State::opening;
  std::optional<Error> failure_;
  std::shared_ptr<storage::PieceFile> file_;
  std::shared_ptr<BlobDigest> digest_;
  std::vector<bool> claims_;
  std::shared_ptr<swarm::Torrent> torrent_;
  Ended ended_;
  PieceMarks unchecked_;
  net::Notify changed_;
  std::vector<std::shared_ptr<Pump>> pumps_;
  std::uint64_t from_registry_ = 0;
  std::uint64_t sequential_ = 0;
  SteadyTime registry_rest_until_{};
  bool registry_failed_ = false;
  std::size_t readers_ = 0;
  SteadyTime last_use_{};
};

}  // namespace convoy::agent
