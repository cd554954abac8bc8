// The part of Download that checks the digest of the whole blob while it arrives.

#include <algorithm>

#include "agent/fetch/download.hpp"

namespace convoy::agent {
namespace {

constexpr std::uint64_t kBatch = 4 * 1024 * 1024;

}  // namespace

net::Task<void> Download::check_digest() {
  const auto self = shared_from_this();
  for (;;) {
    if (state_ != State::running) co_return;
    // The digest may be ahead by a piece that the torrent has not heard of yet.
    const std::uint64_t ready = readable_from(0);
    const std::uint64_t at = digest_->size();
    if (ready == meta_.size && at == meta_.size) break;
    // What did not come in order is read again: in few large turns on a worker, but the last bytes,
    // which a reader waits for, at once.
    const std::uint64_t end = std::min(ready, at + kBatch);
    if (end == at + kBatch || (end > at && end == meta_.size)) {
      const bool good = co_await hash_up_to(end);
      if (!good) co_return;
      continue;
    }
    const bool alive = co_await wait(ready);
    if (!alive || forsaken()) {
      fail(cancelled("download_forsaken"));
      co_return;
    }
  }
  Bytes raw = digest_->finish();
  co_await conclude(std::move(raw));
}

net::Task<bool> Download::hash_up_to(std::uint64_t end) {
  auto job = [file = file_, digest = digest_, end] { return digest->read_on(*file, end); };
  auto done = co_await env_.pool.run(std::move(job));
  const bool good = done.ok();
  if (!good) fail(std::move(done).error());
  co_return good;
}

net::Task<void> Download::conclude(Bytes raw) {
  const auto got = oci::Digest::of(meta_.digest.algorithm(), raw);
  if (got != meta_.digest) {
    env_.log.error(
        "the bytes of a blob do not match its digest",
        {{"digest", meta_.digest.str()}, {"got", got.str()}, {"from_registry", from_registry_}});
    fail(corrupt("digest_mismatch"));
    co_return;
  }
  state_ = State::complete;
  changed_.notify_all();
  co_await store();
  if (ended_) ended_(*this);
}

net::Task<void> Download::store() {
  storage::CacheStore& cache = env_.cache;
  const auto file = file_;
  auto job = [&cache, file] { return cache.complete(*file); };
  auto stored = co_await env_.pool.run(std::move(job));
  if (!stored) {
    env_.log.error("a blob could not be kept",
                   {{"digest", meta_.digest.str()}, {"reason", stored.error().text()}});
  }
}

}  // namespace convoy::agent
