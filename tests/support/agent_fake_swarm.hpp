#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "net/task_group.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::test {

/// A torrent whose pieces come when the test says so.
class FakeTorrent final : public swarm::Torrent {
 public:
  FakeTorrent(net::Executor executor, swarm::TorrentSpec given, Bytes truth)
      : spec(std::move(given)), truth_(std::move(truth)), changed_(executor), have_(spec.have) {
    have_.resize(spec.meta.piece_count());
  }

  const bt::BlobMeta& meta() const override { return spec.meta; }
  std::uint64_t readable_from(std::uint64_t offset) const override {
    std::uint64_t piece = offset / meta().piece_length;
    while (!removed && piece < have_.size() && have_[static_cast<std::size_t>(piece)]) ++piece;
    const std::uint64_t end = std::min(piece * meta().piece_length, meta().size);
    return end > offset ? end - offset : 0;
  }
  net::Task<bool> wait_readable(std::uint64_t offset, Duration timeout) override {
    ++waits;
    if (readable_from(offset) > 0) co_return true;
    if (removed) co_return false;
    co_await changed_.wait(timeout);
    co_return readable_from(offset) > 0;
  }
  std::uint64_t add_reader(std::uint64_t offset) override {
    readers[++next_] = offset;
    return next_;
  }
  void move_reader(std::uint64_t reader, std::uint64_t offset) override {
    readers.at(reader) = offset;
  }
  void remove_reader(std::uint64_t reader) override { readers.erase(reader); }
  net::Task<Result<bool>> put_piece(std::uint32_t piece, ByteView bytes) override {
    if (!layer_known) co_return unavailable("hashes_unknown");
    const bool good = std::equal(bytes.begin(), bytes.end(), truth_.begin() + at(piece));
    if (good) {
      store(piece, bytes);
      ++injected;
    }
    co_return good;
  }
  swarm::TorrentStats stats() const override {
    auto out = stats_;
    out.complete = readable_from(0) == meta().size;
    return out;
  }

  /// A peer (or the origin) brought the piece.
  void deliver(std::uint32_t piece, bool origin = false) {
    const ByteView bytes =
        ByteView(truth_).subspan(static_cast<std::size_t>(at(piece)), meta().piece_size(piece));
    store(piece, bytes);
    (origin ? stats_.from_origin : stats_.from_peers) += bytes.size();
  }
  void deliver_all() {
    for (std::uint32_t piece = 0; piece < have_.size(); ++piece) deliver(piece);
  }
  void remove() {
    removed = true;
    changed_.notify_all();
  }

  swarm::TorrentSpec spec;
  std::map<std::uint64_t, std::uint64_t> readers;
  bool layer_known = true;
  bool removed = false;
  int injected = 0;
  int waits = 0;

 private:
  std::ptrdiff_t at(std::uint32_t piece) const {
    return static_cast<std::ptrdiff_t>(std::uint64_t{piece} * meta().piece_length);
  }
  void store(std::uint32_t piece, ByteView bytes) {
    if (!spec.io->write(static_cast<std::uint64_t>(at(piece)), bytes)) return;
    if (!spec.io->piece_done(piece)) return;
    have_[piece] = true;
    changed_.notify_all();
  }

  Bytes truth_;
  net::Notify changed_;
  std::vector<bool> have_;
  std::uint64_t next_ = 0;
  swarm::TorrentStats stats_;
};

/// An engine that hands out such torrents.
class FakeEngine final : public swarm::Engine {
 public:
  explicit FakeEngine(net::Executor executor) : executor_(executor) {}

  const net::Endpoint& local() const override { return local_; }
  Result<std::shared_ptr<swarm::Torrent>> add(swarm::TorrentSpec spec) override {
    ++added;
    const auto hash = spec.info_hash;
    auto torrent = std::make_shared<FakeTorrent>(executor_, std::move(spec), truth);
    torrents[hash] = torrent;
    last = torrent;
    if (on_add) on_add(*torrent);
    return std::shared_ptr<swarm::Torrent>(torrent);
  }
  std::shared_ptr<swarm::Torrent> find(const bt::InfoHash& hash) override {
    const auto it = torrents.find(hash);
    return it == torrents.end() ? nullptr : it->second;
  }
  void remove(const bt::InfoHash& hash) override {
    const auto it = torrents.find(hash);
    if (it == torrents.end()) return;
    it->second->remove();
    torrents.erase(it);
  }
  void on_unknown(std::function<bool(std::string_view)>) override {}
  Status replace_identity(net::TlsIdentity identity) override {
    identities.push_back(std::move(identity));
    return {};
  }
  void rates_changed(const swarm::UploadShares& now) override { shares.push_back(now); }
  net::Task<void> stop() override {
    for (auto& [hash, torrent] : torrents) torrent->remove();
    co_return;
  }

  Bytes truth;  ///< what the next torrents hold
  std::function<void(FakeTorrent&)> on_add;
  std::map<bt::InfoHash, std::shared_ptr<FakeTorrent>> torrents;
  std::shared_ptr<FakeTorrent> last;
  std::vector<net::TlsIdentity> identities;
  std::vector<swarm::UploadShares> shares;
  int added = 0;

 private:
  net::Executor executor_;
  net::Endpoint local_{"127.0.0.1", 6881};
};

}  // namespace convoy::test
