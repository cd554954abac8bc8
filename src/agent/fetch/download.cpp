#include "agent/fetch/download.hpp"

#include <algorithm>

namespace convoy::agent {
namespace {

// A download that nobody reads any more is given up after this long without use.
constexpr Duration kForsaken = std::chrono::seconds(60);
constexpr Duration kPumpTurn = std::chrono::milliseconds(50);

}  // namespace

Download::Download(const DownloadEnv& env, bt::BlobMeta meta, bool has_tree)
    : env_(env),
      meta_(meta),
      has_tree_(has_tree),
      digest_(std::make_shared<BlobDigest>(meta_.digest.algorithm())),
      unchecked_(meta_),
      changed_(env.executor),
      last_use_(env.clock.steady()) {}

net::Task<Status> Download::open() {
  storage::CacheStore& cache = env_.cache;
  auto job = [&cache, meta = meta_] { return cache.open_partial(meta); };
  auto file = co_await env_.pool.run(std::move(job));
  if (!file) co_return std::move(file).error();
  file_ = std::move(*file);
  if (has_tree_) claims_ = file_->pieces();
  co_return Status{};
}

void Download::run(std::shared_ptr<swarm::Torrent> torrent, Ended ended) {
  torrent_ = std::move(torrent);
  ended_ = std::move(ended);
  state_ = State::running;
  env_.tasks.spawn([self = shared_from_this()] { return self->check_digest(); });
  const bool claimed = std::find(claims_.begin(), claims_.end(), true) != claims_.end();
  if (torrent_ && claimed) {
    env_.tasks.spawn([self = shared_from_this()] { return self->resume_claims(self->claims_); });
  }
  changed_.notify_all();
}

std::uint64_t Download::readable_from(std::uint64_t offset) const {
  if (state_ == State::complete) return meta_.size - std::min(offset, meta_.size);
  std::uint64_t at = offset;
  while (at < meta_.size) {
    std::uint64_t more = torrent_ ? torrent_->readable_from(at) : 0;
    if (more == 0) more = unchecked_.run_from(at);
    if (more == 0) break;
    at += more;
  }
  return at - offset;
}

std::uint64_t Download::releasable_from(std::uint64_t offset) const {
  return releasable(meta_, offset, readable_from(offset), state_ == State::complete);
}

net::Task<bool> Download::wait(std::uint64_t offset) {
  const Duration slice = std::min<Duration>(env_.stall / 4, std::chrono::milliseconds(500));
  const bool by_torrent =
      torrent_ && pumps_.empty() && state_ == State::running && readable_from(offset) == 0;
  const SteadyTime until = env_.clock.steady() + slice;
  bool woken = false;
  if (by_torrent) {
    woken = co_await torrent_->wait_readable(offset, slice);
    // One that has ended says so at once.
    const Duration left = until - env_.clock.steady();
    if (!woken && left > Duration::zero()) woken = co_await changed_.wait(left);
  } else {
    const Duration turn = torrent_ ? std::min(slice, kPumpTurn) : slice;
    woken = co_await changed_.wait(turn);
  }
  if (woken) {
    changed_.notify_all();
    co_return true;
  }
  // A wait that ends early is either a time-out or a cancellation; only this one tells.
  co_return co_await net::sleep_for(Duration::zero());
}

Download::Reader::Reader(std::shared_ptr<Download> download, std::uint64_t offset)
    : download_(std::move(download)) {
  ++download_->readers_;
  if (download_->torrent_) id_ = download_->torrent_->add_reader(offset);
}

Download::Reader::~Reader() {
  --download_->readers_;
  download_->last_use_ = download_->env_.clock.steady();
  if (download_->torrent_) download_->torrent_->remove_reader(id_);
}

void Download::Reader::move(std::uint64_t offset) {
  if (download_->torrent_) download_->torrent_->move_reader(id_, offset);
}

bool Download::out_of_sources() const {
  return registry_failed_ && pumps_.empty() && (!torrent_ || torrent_->stats().peers == 0);
}

bool Download::forsaken() { return readers_ == 0 && env_.clock.steady() - last_use_ >= kForsaken; }

PullBytes Download::received() const {
  PullBytes bytes;
  bytes.registry = from_registry_;
  if (torrent_) {
    const auto now = torrent_->stats();
    bytes.origin = now.from_origin;
    bytes.peers = now.from_peers;
  }
  return bytes;
}

std::uint64_t Download::swarm_bytes() const {
  if (!torrent_) return 0;
  const auto now = torrent_->stats();
  return now.from_origin + now.from_peers;
}

void Download::fail(Error error) {
  if (state_ == State::failed || state_ == State::complete) return;
  state_ = State::failed;
  failure_ = std::move(error);
  changed_.notify_all();
  if (ended_) ended_(*this);
}

}  // namespace convoy::agent
