#include "agent/fetch/downloads.hpp"

#include <utility>

namespace convoy::agent {
namespace {

constexpr Duration kSpoilt = std::chrono::seconds(60);
constexpr std::size_t kMaxSpoilt = 1024;

bt::BlobMeta meta_without_tree(const oci::Digest& digest, std::uint64_t size) {
  return {.digest = digest,
          .size = size,
          .piece_length = bt::choose_piece_length(size),
          .pieces_root = {}};
}

}  // namespace

Downloads::Downloads(net::Executor executor, net::WorkerPool& pool, storage::CacheStore& cache,
                     SwarmSeats& seats, const Clock& clock, Duration stall,
                     std::shared_ptr<net::RateLimiter> registry_rate, Logger log)
    : executor_(executor),
      tasks_(executor),
      env_{executor, pool, cache, tasks_, clock, stall, std::move(registry_rate), std::move(log)},
      seats_(seats),
      opened_(executor) {}

bool Downloads::spoilt(const oci::Digest& digest) const {
  const auto it = spoilt_until_.find(digest);
  return it != spoilt_until_.end() && env_.clock.steady() < it->second;
}

bool Downloads::shared(const BlobAsk& ask, const Permit& permit) const {
  const auto it = running_.find(ask.digest);
  if (it == running_.end()) return false;
  const Download& download = *it->second.download;
  return it->second.registry == ask.upstream->host || signs_tree(permit, download.meta());
}

net::Task<Result<Downloads::Joined>> Downloads::join(BlobAsk ask, Permit permit) {
  for (;;) {
    const auto it = running_.find(ask.digest);
    if (it == running_.end()) break;
    const auto download = it->second.download;
    if (download->state() != Download::State::opening) {
      const bool fits = download->meta().size == permit.size && shared(ask, permit);
      if (fits) co_return Joined{download, false};
      co_return conflict("store_open", "on its way with another size, or from another registry");
    }
    co_await opened_.wait(std::chrono::seconds(1));
    const bool alive = co_await net::sleep_for(Duration::zero());
    if (!alive) co_return cancelled();
  }
  auto started = co_await start(std::move(ask), std::move(permit));
  if (!started) co_return std::move(started).error();
  co_return Joined{std::move(*started), true};
}

net::Task<Result<std::shared_ptr<Download>>> Downloads::start(BlobAsk ask, Permit permit) {
  const bool has_tree = permit.pass.has_value();
  const bt::BlobMeta meta =
      has_tree ? permit.pass->meta : meta_without_tree(ask.digest, permit.size);
  auto download = std::make_shared<Download>(env_, meta, has_tree);
  running_.insert_or_assign(ask.digest, Running{download, ask.upstream->host});
  auto opened = co_await download->open();
  if (!opened) {
    running_.erase(ask.digest);
    opened_.notify_all();
    co_return std::move(opened).error();
  }
  std::shared_ptr<swarm::Torrent> torrent;
  if (permit.pass) {
    // A torrent that is left over writes to another file than this one.
    seats_.leave(permit.pass->info_hash);
    std::vector<bool> none(meta.piece_count(), false);
    auto io = piece_io(download->file(), download->digest());
    torrent = seats_.join(*permit.pass, ask, std::move(io), std::move(none));
  }
  auto origin = std::make_shared<const Origin>(Origin{std::move(ask), std::move(permit.pass)});
  download->run(std::move(torrent), [this, origin](Download& d) { ended(d, *origin); });
  opened_.notify_all();
  co_return download;
}

void Downloads::ended(Download& download, const Origin& origin) {
  const oci::Digest digest = download.meta().digest;
  const bool complete = download.state() == Download::State::complete;
  if (complete && download.torrent() && !download.swarm_complete()) {
    // The engine does not know of the pieces that came unchecked; it starts anew as a seed.
    seats_.leave(origin.pass->info_hash);
    std::vector<bool> all(download.meta().piece_count(), true);
    auto io = piece_io(download.file(), download.digest());
    seats_.join(*origin.pass, origin.ask, std::move(io), std::move(all));
  }
  if (!complete && origin.pass) seats_.leave(origin.pass->info_hash);
  const bool wrong = download.failure() && download.failure()->kind() == ErrorClass::corrupt;
  if (download.out_of_room()) {
    env_.log.warn("the disk is full: a blob comes straight from the registry for a while",
                  {{"digest", digest.str()}, {"reason", download.failure()->text()}});
  }
  if (wrong || download.out_of_room()) spoil(digest);
  if (!complete) {
    running_.erase(digest);
    return;
  }
  // Others find it as one that runs until it is known whose word opens the stored one.
  tasks_.spawn(
      [this, digest, registry = origin.ask.upstream->host] { return conclude(digest, registry); });
}

net::Task<void> Downloads::conclude(oci::Digest digest, oci::RegistryHost registry) {
  co_await add_source(digest, std::move(registry));
  running_.erase(digest);
}

net::Task<void> Downloads::add_source(oci::Digest digest, oci::RegistryHost registry) {
  storage::CacheStore& cache = env_.cache;
  auto job = [&cache, digest, registry] { return cache.add_source(digest, registry); };
  auto added = co_await env_.pool.run(std::move(job));
  if (!added) env_.log.warn("a blob's registry is forgotten", {{"reason", added.error().text()}});
}

void Downloads::spoil(const oci::Digest& digest) {
  if (spoilt_until_.size() >= kMaxSpoilt) spoilt_until_.clear();
  spoilt_until_[digest] = env_.clock.steady() + kSpoilt;
  storage::CacheStore& cache = env_.cache;
  tasks_.spawn([this, &cache, digest]() -> net::Task<void> {
    auto job = [&cache, digest] { return cache.drop(digest); };
    auto dropped = co_await env_.pool.run(std::move(job));
    if (!dropped) env_.log.warn("a spoilt blob stays", {{"reason", dropped.error().text()}});
  });
}

net::Task<void> Downloads::stop() {
  const auto all = std::exchange(running_, {});
  co_await tasks_.stop();
}

}  // namespace convoy::agent
