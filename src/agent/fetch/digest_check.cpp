// The part of Download that checks the digest of the whole blob while it arrives.

#include <algorithm>

#include "agent/fetch/download.hpp"
#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

constexpr std::uint64_t kBatch = 4 * 1024 * 1024;
constexpr std::size_t kStep = 256 * 1024;

Status hash_file(const storage::PieceFile& file, Hasher& hasher, std::uint64_t from,
                 std::uint64_t length) {
  Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kStep)));
  while (length > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer.size()));
    const MutableByteView part(buffer.data(), n);
    if (auto read = file.read_at(from, part); !read) return read;
    hasher.update(part);
    from += n;
    length -= n;
  }
  return {};
}

}  // namespace

net::Task<void> Download::check_digest() {
  const auto self = shared_from_this();
  const auto hasher = crypto::make_hasher(meta_.digest.algorithm());
  std::uint64_t at = 0;
  while (at < meta_.size && state_ == State::running) {
    const std::uint64_t batch = std::min(readable_from(at), kBatch);
    // Few large turns on a worker; the last bytes, which a reader waits for, at once.
    if (batch == kBatch || (batch > 0 && at + batch == meta_.size)) {
      const bool good = co_await hash_range(*hasher, at, batch);
      if (!good) co_return;
      at += batch;
      continue;
    }
    const bool alive = co_await wait(at + batch);
    if (!alive || forsaken()) {
      fail(cancelled("download_forsaken"));
      co_return;
    }
  }
  if (state_ != State::running) co_return;
  Bytes raw = hasher->finish();
  co_await conclude(std::move(raw));
}

net::Task<bool> Download::hash_range(Hasher& hasher, std::uint64_t from, std::uint64_t length) {
  const auto file = file_;
  Hasher* into = &hasher;
  auto job = [file, into, from, length] { return hash_file(*file, *into, from, length); };
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
