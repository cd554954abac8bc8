#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "agent/fetch/ask.hpp"
#include "agent/fetch/blob_digest.hpp"
#include "agent/fetch/ticket_desk.hpp"
#include "agent/identity/cluster.hpp"
#include "base/log.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/blob/cache_store.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// Pieces of a blob on its way; those that come in order take the digest along.
std::shared_ptr<swarm::PieceIo> piece_io(std::shared_ptr<storage::PieceFile>,
                                         std::shared_ptr<BlobDigest>);
/// Pieces of a complete blob; writing is an error.
std::shared_ptr<swarm::PieceIo> piece_io(std::shared_ptr<storage::BlobReader>);

/// Puts blobs into the swarm and keeps their tickets alive with the credential of the last
/// request that was allowed to have them. Bounded: the torrents used longest ago are given up
/// first. One thread.
class SwarmSeats {
 public:
  static constexpr std::size_t kMaxTorrents = 512;

  SwarmSeats(const Cluster& cluster, TicketDesk& desk, const Clock& clock, Logger log)
      : cluster_(cluster), desk_(desk), clock_(clock), log_(std::move(log)) {}

  /// Adds or finds the torrent. `have`: pieces that are verified. Null without a cluster or
  /// engine, or when the engine refuses (logged).
  std::shared_ptr<swarm::Torrent> join(const SwarmPass&, const BlobAsk&,
                                       std::shared_ptr<swarm::PieceIo>, std::vector<bool> have);
  /// The torrent if it is loaded; notes that `ask` may have the blob, for renewals.
  std::shared_ptr<swarm::Torrent> find(const SwarmPass&, const BlobAsk&);
  void leave(const bt::InfoHash&);
  std::size_t size() const { return seats_.size(); }

 private:
  struct Holder {
    BlobAsk ask;  ///< the last request that was allowed to have the blob
  };
  struct Seat {
    std::shared_ptr<Holder> holder;
    std::list<bt::InfoHash>::iterator age;
  };

  swarm::TorrentSpec spec_for(const SwarmPass&, std::shared_ptr<Holder>);
  net::Task<Result<swarm::Grant>> renew(std::shared_ptr<Holder>, std::optional<bt::InfoHash> known);
  net::Task<void> report(bt::InfoHash, std::string node, std::uint32_t piece);
  void touch(Seat&);

  const Cluster& cluster_;
  TicketDesk& desk_;
  const Clock& clock_;
  Logger log_;
  std::map<bt::InfoHash, Seat> seats_;
  std::list<bt::InfoHash> order_;  ///< used longest ago first
};

}  // namespace convoy::agent
