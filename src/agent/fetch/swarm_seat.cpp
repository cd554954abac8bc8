#include "agent/fetch/swarm_seat.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

class PartialIo final : public swarm::PieceIo {
 public:
  PartialIo(std::shared_ptr<storage::PieceFile> file, std::shared_ptr<BlobDigest> digest)
      : file_(std::move(file)), digest_(std::move(digest)) {}
  Status read(std::uint64_t offset, MutableByteView out) override {
    return file_->read_at(offset, out);
  }
  bool read_now(std::uint64_t offset, MutableByteView out) override {
    return file_->read_now(offset, out);
  }
  Status write(std::uint64_t offset, ByteView bytes) override {
    return file_->write_at(offset, bytes);
  }
  Status piece_done(std::uint32_t piece) override { return file_->mark_piece(piece); }
  std::optional<crypto::Sha256> digest_at(std::uint64_t offset) override {
    return digest_->at(offset);
  }
  void digest_done(const crypto::Sha256& digest) override { digest_->advance(digest); }

 private:
  std::shared_ptr<storage::PieceFile> file_;
  std::shared_ptr<BlobDigest> digest_;
};

class CompleteIo final : public swarm::PieceIo {
 public:
  explicit CompleteIo(std::shared_ptr<storage::BlobReader> blob) : blob_(std::move(blob)) {}
  Status read(std::uint64_t offset, MutableByteView out) override {
    return blob_->read_at(offset, out);
  }
  bool read_now(std::uint64_t offset, MutableByteView out) override {
    return blob_->read_now(offset, out);
  }
  Status write(std::uint64_t, ByteView) override {
    return internal_error("blob_write", "the blob is complete");
  }
  Status piece_done(std::uint32_t) override { return {}; }

 private:
  std::shared_ptr<storage::BlobReader> blob_;
};

}  // namespace

std::shared_ptr<swarm::PieceIo> piece_io(std::shared_ptr<storage::PieceFile> file,
                                         std::shared_ptr<BlobDigest> digest) {
  return std::make_shared<PartialIo>(std::move(file), std::move(digest));
}

std::shared_ptr<swarm::PieceIo> piece_io(std::shared_ptr<storage::BlobReader> blob) {
  return std::make_shared<CompleteIo>(std::move(blob));
}

std::shared_ptr<swarm::Torrent> SwarmSeats::join(const SwarmPass& pass, const BlobAsk& ask,
                                                 std::shared_ptr<swarm::PieceIo> io,
                                                 std::vector<bool> have) {
  if (auto known = find(pass, ask)) return known;
  const ClusterLinkPtr link = cluster_.link();
  if (!link || !link->engine) return nullptr;
  auto holder = std::make_shared<Holder>(Holder{ask});
  swarm::TorrentSpec spec = spec_for(pass, holder);
  spec.io = std::move(io);
  spec.have = std::move(have);
  auto torrent = link->engine->add(std::move(spec));
  if (!torrent) {
    log_.warn("cannot join the swarm",
              {{"digest", ask.digest.str()}, {"reason", torrent.error().text()}});
    return nullptr;
  }
  if (seats_.size() >= kMaxTorrents) leave(bt::InfoHash(order_.front()));
  const auto age = order_.insert(order_.end(), pass.info_hash);
  seats_.insert_or_assign(pass.info_hash, Seat{std::move(holder), age});
  return std::move(*torrent);
}

std::shared_ptr<swarm::Torrent> SwarmSeats::find(const SwarmPass& pass, const BlobAsk& ask) {
  const auto it = seats_.find(pass.info_hash);
  const ClusterLinkPtr link = cluster_.link();
  if (it == seats_.end() || !link || !link->engine) return nullptr;
  auto torrent = link->engine->find(pass.info_hash);
  if (!torrent) {
    leave(bt::InfoHash(pass.info_hash));
    return nullptr;
  }
  it->second.holder->ask = ask;
  touch(it->second);
  return torrent;
}

void SwarmSeats::touch(Seat& seat) { order_.splice(order_.end(), order_, seat.age); }

void SwarmSeats::leave(const bt::InfoHash& info_hash) {
  const auto it = seats_.find(info_hash);
  if (it == seats_.end()) return;
  const ClusterLinkPtr link = cluster_.link();
  if (link && link->engine) link->engine->remove(info_hash);
  order_.erase(it->second.age);
  seats_.erase(it);
}

swarm::TorrentSpec SwarmSeats::spec_for(const SwarmPass& pass, std::shared_ptr<Holder> holder) {
  swarm::TorrentSpec spec{.meta = pass.meta,
                          .info_hash = pass.info_hash,
                          .io = nullptr,
                          .have = {},
                          .leaves = {},
                          .origin = false,
                          .grant = pass.grant,
                          .renew = nullptr,
                          .report = nullptr,
                          .request_id = holder->ask.request_id};
  spec.renew = [this, holder, info_hash = pass.info_hash](bool ticket) {
    return renew(holder, ticket ? std::nullopt : std::optional(info_hash));
  };
  spec.report = [this, info_hash = pass.info_hash](std::string node, std::uint32_t piece) {
    return report(info_hash, std::move(node), piece);
  };
  return spec;
}

net::Task<Result<swarm::Grant>> SwarmSeats::renew(std::shared_ptr<Holder> holder,
                                                  std::optional<bt::InfoHash> known) {
  const Deadline deadline = Deadline::in(clock_, kPatience);
  BlobAsk ask = holder->ask;
  const auto by_desk = [this, &ask, known, deadline](std::optional<Secret> credential) {
    return desk_.renew(ask, std::move(credential), known, deadline);
  };
  auto grant = co_await ask_with_credential(ask, deadline, by_desk);
  const bool refused = !grant && classify_ticket_error(grant.error()) == TicketFailure::refused;
  if (refused && !ask.own_credential && ask.upstream->credential) {
    // A user's token lives for minutes; what the node itself may pull it may go on sharing.
    ask.own_credential = true;
    grant = co_await ask_with_credential(ask, deadline, by_desk);
  }
  co_return grant;
}

net::Task<void> SwarmSeats::report(bt::InfoHash info_hash, std::string node, std::uint32_t piece) {
  const ClusterLinkPtr link = cluster_.link();
  if (!link) co_return;
  clients::PeerReport report{.info_hash = to_hex(info_hash),
                             .node = std::move(node),
                             .reason = "corrupt_piece",
                             .piece = piece};
  const auto sent =
      co_await link->tracker->report(std::move(report), Deadline::in(clock_, kPatience));
  if (!sent) log_.warn("report of a peer failed", {{"reason", sent.error().text()}});
}

}  // namespace convoy::agent
