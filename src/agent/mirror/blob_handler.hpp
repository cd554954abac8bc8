#pragma once

#include <memory>

#include "agent/fetch/authorizer.hpp"
#include "agent/fetch/downloads.hpp"
#include "agent/fetch/pull_log.hpp"
#include "agent/fetch/small_blobs.hpp"
#include "agent/fetch/swarm_seat.hpp"
#include "base/random.hpp"
#include "net/http_server.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/audit.hpp"
#include "storage/blob/cache_store.hpp"
#include "wire/http/range.hpp"

namespace convoy::agent {

/// What blob requests are answered with. The references outlive the handler.
struct BlobHandlerEnv {
  Authorizer& authorizer;
  Downloads& downloads;
  SmallBlobs& small;
  SwarmSeats& seats;
  storage::CacheStore& cache;
  net::WorkerPool& pool;
  PullLog& pulls;
  const Clock& clock;
  Random& random;
  security::AuditLog& audit;
  std::shared_ptr<net::RateLimiter> registry_rate;  ///< null: none
  std::uint64_t small_blob_limit;
  Duration stall;
  Logger log;
};

/// GET and HEAD of blobs, for the mirror and the intercepting proxy alike: authorised now, then
/// from the cache, the swarm or the registry. One thread.
class BlobHandler {
 public:
  explicit BlobHandler(BlobHandlerEnv env) : env_(std::move(env)) {}

  /// Answers the exchange; `extra` headers go onto every answer.
  net::Task<void> serve(net::HttpExchange&, BlobAsk, http::Headers extra);

 private:
  struct Pull;
  net::Task<void> get(Pull&);
  net::Task<void> head(Pull&);
  net::Task<Result<Permit>> permit_for(Pull&, Deadline);
  net::Task<Result<clients::BlobInfo>> head_info(BlobAsk, std::optional<Secret> authorization,
                                                 Deadline);
  net::Task<void> turn_away(Pull&, Error);
  net::Task<void> refuse(Pull&, Error);
  net::Task<bool> from_cache(Pull&, Permit&);
  net::Task<Status> send_stored(Pull&, const storage::BlobReader&);
  net::Task<void> from_download(Pull&, Permit);
  net::Task<void> stream(Pull&, std::shared_ptr<Download>, bool swarm_is_empty);
  net::Task<Status> start(Pull&);
  net::Task<Status> send_part(Pull&, const storage::BlobBytes&, std::uint64_t offset,
                              std::uint64_t length);
  net::Task<void> relay(Pull&);
  net::Task<void> remember_source(const Pull&);
  net::Task<void> relay_small(Pull&);
  net::Task<void> give_up(Pull&, Error);
  bool must_relay(const Pull&, const Permit&) const;
  void audit(const Pull&, bool granted, const std::string& reason);
  void finish(Pull&);

  /// What is sent of a file before it is looked again what of it lies in memory.
  static constexpr std::uint64_t kSendTurn = 4 * 1024 * 1024;

  BlobHandlerEnv env_;
};

}  // namespace convoy::agent
