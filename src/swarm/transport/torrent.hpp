#pragma once

#include <map>
#include <memory>
#include <set>

#include "swarm/core/peer_book.hpp"
#include "swarm/core/swarm.hpp"
#include "swarm/transport/connection.hpp"
#include "swarm/transport/engine.hpp"
#include "swarm/transport/piece_buffers.hpp"
#include "swarm/transport/uplink.hpp"

namespace convoy::swarm {

/// What a torrent asks of the engine.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// Connects, handshakes, passes the gate.
  virtual net::Task<Result<Admitted>> dial(bt::PeerEndpoint, GateTorrent) = 0;
  virtual void refused(const Error&, const std::string& ip, const std::string& node,
                       const bt::BlobMeta&, const std::string& request_id) = 0;
};

/// One torrent on its sockets: carries out what the core decides, and keeps its ticket fresh.
class TorrentImpl final : public Torrent,
                          public ConnectionOwner,
                          public UploadSource,
                          public std::enable_shared_from_this<TorrentImpl> {
 public:
  TorrentImpl(Env&, Dialer&, TorrentSpec, std::uint64_t expected_rate);

  /// Starts its tasks. After it is in the engine's table.
  void start();
  /// Closes all connections and ends all waits.
  void stop();

  // Torrent
  const bt::BlobMeta& meta() const override { return spec_.meta; }
  std::uint64_t readable_from(std::uint64_t offset) const override;
  net::Task<bool> wait_readable(std::uint64_t offset, Duration timeout) override;
  std::uint64_t add_reader(std::uint64_t offset) override;
  void move_reader(std::uint64_t reader, std::uint64_t offset) override;
  void remove_reader(std::uint64_t reader) override;
  net::Task<Result<bool>> put_piece(std::uint32_t piece, ByteView bytes) override;
  TorrentStats stats() const override;

  // The engine's side
  const bt::InfoHash& info_hash() const { return spec_.info_hash; }
  /// More peers and a newer ticket, for a torrent that was added again.
  void merge(const TorrentSpec&);
  /// A ticket fit for a connection made now; waits for a renewal when there is none.
  net::Task<bool> ensure_ticket();
  GateTorrent gate(bool incoming) const;
  /// Takes a peer whose gate is open, unless it is one too many, banned or here already.
  Status admit(Admitted);
  bool banned(const std::string& node) const { return core_.banned(node); }
  void identity_replaced();
  /// Looks again at what the limits held back.
  void limits_changed();

  // ConnectionOwner
  bool on_message(Connection&, const bt::Message&) override;
  void on_batch() override;
  void on_sent(Connection&, const std::vector<bt::BlockRef>&, std::uint64_t ticket) override;
  void on_hashes_sent(Connection&, std::size_t answers) override;
  void on_closed(Connection&, const Error& why) override;
  bool shares_link() const override { return peers_.size() > 1; }
  // UploadSource
  std::uint64_t send_next(std::uint64_t ticket, std::uint64_t quantum) override;
  bool background() const override;
  std::uint64_t rank() const override { return core::blob_rank(spec_.meta, spec_.origin); }

  static constexpr std::size_t kMaxPeers = 64;
  static constexpr std::size_t kMaxOriginPeers = 256;
  static constexpr std::uint32_t kMaxDiskFailures = 3;  ///< in a row

 private:
  using Peers = std::map<core::PeerRef, std::shared_ptr<Connection>>;

  // torrent.cpp: events and actions
  bool on_block(Connection&, const bt::PieceBlock&);
  bool on_extended(Connection&, const bt::Extended&);
  bool on_ticket(Connection&, std::string_view ticket);
  bool allowed(Connection&, const bt::Message&);
  void act();
  void carry_out(core::SendMessage&);
  void carry_out(core::VerifyPiece&);
  void carry_out(core::ReleasePiece&);
  void carry_out(core::DropPeer&);
  void carry_out(core::ReportPeer&);
  void carry_out(core::ComputeLayer&);
  void carry_out(core::ReadLeaves&);
  void carry_out(core::Completed&);
  void count_bytes();
  net::Task<void> run_ticks();
  void note_readers();
  void resume_when_due();
  net::Task<void> resume_at(core::Instant);

  // torrent_jobs.cpp: work on the pool
  struct Checked {
    bool matches = false;
    bool stored = false;
    std::vector<Hash256> leaves;
    std::string trouble;
  };
  static Checked check_and_store(const bt::BlobMeta&, PieceIo&, std::uint32_t piece, ByteView bytes,
                                 const Hash256& expected);
  net::Task<void> verify_arrived();
  net::Task<void> verify(std::uint32_t piece, PieceBuffer);
  net::Task<void> compute_layer();
  net::Task<void> read_leaves(core::ReadLeaves);
  net::Task<void> report(std::string node, std::uint32_t piece);

  // torrent_peers.cpp: who to talk to, tickets
  std::shared_ptr<Connection> find(core::PeerRef) const;
  std::shared_ptr<Connection> find_node(const std::string&) const;
  Status resolve_duplicate(const Admitted&);
  void drop_expired();
  bool lasts(SteadyTime expires) const;
  void show_ticket();
  void dial_more();
  net::Task<void> dial(bt::PeerEndpoint);
  net::Task<void> keep_ticket();
  bool ticket_fresh() const;
  Duration renewal_wait() const;
  void take(const Grant&);
  void ask_renewal(bool urgent);
  bool wants_peers() const;

  Env& env_;
  Dialer& dialer_;
  TorrentSpec spec_;
  Logger log_;
  core::Swarm core_;
  core::PeerBook book_;
  PieceBuffers buffers_;
  // One after the other, the first one first: so the digest of the whole can go along.
  std::map<std::uint32_t, PieceBuffer> arrived_;
  bool verifying_ = false;
  std::shared_ptr<ReadCache> cache_;
  Peers peers_;
  core::PeerRef last_ref_ = 0;
  std::uint64_t last_reader_ = 0;
  std::set<std::uint64_t> readers_;
  SteadyTime last_read_;
  bool counts_as_waiting_ = false, resuming_ = false;
  SteadyTime resume_due_{};
  core::SwarmCounts counted_;
  net::Notify progress_, renewed_, renew_now_, tick_now_, limits_changed_;
  SteadyTime ticket_expires_{}, renewed_at_;
  const SteadyTime began_;
  std::uint32_t ticket_identity_ = 0;
  bool renew_wanted_ = false, renewing_ = false;
  std::uint32_t renew_failures_ = 0, disk_failures_ = 0;
  std::size_t dialling_ = 0;
  bool stopped_ = false, acting_ = false;
};

}  // namespace convoy::swarm
