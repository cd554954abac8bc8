#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/token_bucket.hpp"
#include "crypto/certificate.hpp"
#include "crypto/sha256.hpp"
#include "net/metrics.hpp"
#include "net/rate_limiter.hpp"
#include "net/tls.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/audit.hpp"
#include "wire/bt/announce.hpp"
#include "wire/bt/metadata.hpp"
#include "wire/bt/zone.hpp"

namespace convoy::swarm {

/// Where the pieces of one blob are kept. Called on workers, by several at once.
class PieceIo {
 public:
  virtual ~PieceIo() = default;
  virtual Status read(std::uint64_t offset, MutableByteView out) = 0;
  /// Reads what lies in memory, on the engine's thread; false when a disk would have to be waited
  /// for (`out` is then undefined) or something is wrong: read() tells.
  virtual bool read_now(std::uint64_t, MutableByteView) { return false; }
  virtual Status write(std::uint64_t offset, ByteView) = 0;
  /// The piece was verified and written.
  virtual Status piece_done(std::uint32_t piece) = 0;
  /// The SHA-256 of all bytes before `offset`, if it is wanted to go on from here: a piece is then
  /// hashed for it and for its own check in one pass.
  virtual std::optional<crypto::Sha256> digest_at(std::uint64_t) { return std::nullopt; }
  /// Where it went on to, after the piece was found right and written.
  virtual void digest_done(const crypto::Sha256&) {}
};

struct SwarmPeer {
  bt::PeerEndpoint address;
  bool origin = false;
};

/// What the tracker granted (tracker-api.md, POST /v1/tickets).
struct Grant {
  std::string ticket;  ///< "": the one at hand stays, this has peers and place alone
  std::chrono::seconds expires_in{0};
  std::vector<SwarmPeer> peers;
  std::chrono::seconds interval{30};
  bt::Zone zone{};  ///< own, as the ticket has it
  std::uint32_t zone_index = 0, zone_count = 1;
};

/// How a torrent gets tickets and peers again; the engine calls it before a ticket runs out,
/// when it has too few peers, and at the interval. `ticket`: false when the one at hand will do.
/// Runs on the engine's executor.
using Renew = std::function<net::Task<Result<Grant>>(bool ticket)>;
/// Tells the tracker of a peer that sent bad bytes (its SPIFFE id).
using Report = std::function<net::Task<void>(std::string node, std::uint32_t piece)>;

struct TorrentSpec {
  bt::BlobMeta meta;  ///< verified by the caller
  bt::InfoHash info_hash{};
  std::shared_ptr<PieceIo> io{};
  std::vector<bool> have{};       ///< pieces present and verified; empty: none, or all for a seed
  std::vector<Hash256> leaves{};  ///< a seed's Merkle leaves, if it has them stored; else empty
  bool origin = false;            ///< serves by offers, never downloads
  Grant grant{};                  ///< an origin may leave the ticket empty: it is fetched on demand
  Renew renew{};
  Report report{};  ///< may be null
  std::string request_id{};
};

struct TorrentStats {
  std::uint64_t from_origin = 0, from_peers = 0;  ///< payload bytes received and verified
  std::uint64_t over_border = 0;                  ///< of both, from another zone
  std::uint64_t uploaded = 0;                     ///< payload bytes sent
  std::uint64_t redundant = 0;                    ///< payload bytes thrown away
  std::uint32_t peers = 0;
  bool complete = false;
};

/// One blob being exchanged. Held by whoever wants it; when the last handle is gone the engine
/// goes on seeding until the torrent is removed. Used on the engine's executor only.
class Torrent {
 public:
  virtual ~Torrent() = default;
  virtual const bt::BlobMeta& meta() const = 0;
  /// Bytes from `offset` on that are verified and readable in a row (0: none yet).
  virtual std::uint64_t readable_from(std::uint64_t offset) const = 0;
  /// Waits until a byte at `offset` is readable; false at the time-out or when it ended for good.
  virtual net::Task<bool> wait_readable(std::uint64_t offset, Duration timeout) = 0;
  /// Where a reader stands: the next few pieces from here are asked for first. Any number of
  /// readers.
  virtual std::uint64_t add_reader(std::uint64_t offset) = 0;  ///< returns a reader id
  virtual void move_reader(std::uint64_t reader, std::uint64_t offset) = 0;
  virtual void remove_reader(std::uint64_t reader) = 0;
  /// A piece that came from elsewhere (the registry): checked like any other. False: wrong bytes.
  virtual net::Task<Result<bool>> put_piece(std::uint32_t piece, ByteView bytes) = 0;
  virtual TorrentStats stats() const = 0;
};

/// Parts of the uplink, in bytes per second; 0: no limit.
struct UploadShares {
  std::uint64_t each_peer = 0;  ///< to any one node
  /// Of blobs that nobody at this node has read for a while, when somebody here waits for another.
  std::uint64_t background = 0;
};

struct EngineOptions {
  net::TlsIdentity identity;               ///< node certificate chain and key
  std::vector<crypto::Certificate> roots;  ///< cluster root
  std::string cluster;
  net::Endpoint listen;                      ///< peers dial here; port 0 takes a free one
  std::optional<std::string> bind_ip;        ///< local address for outgoing connections
  std::shared_ptr<net::RateLimiter> upload;  ///< null: none
  UploadShares shares;
  /// What is asked of peers, and of origins among them, is charged to these. Null: no limit.
  std::shared_ptr<TokenBucket> download, from_origin;
  std::uint64_t expected_rate = 0;  ///< bytes/s of the link if known; 0: measured
  bool kernel_tls = true;
  /// TLS and both handshakes must be over within this (peer-wire.md, 3).
  Duration gate_time = std::chrono::seconds(5);
};

/// All torrents of a node: the listener, TLS, the ticket gate, disk and hashing on the pool.
/// One executor (one thread). The only way to make a connection without tickets is
/// the constructor argument of a test build (CONVOY_TEST_OPEN_GATE).
class Engine {
 public:
  virtual ~Engine() = default;
  static Result<std::unique_ptr<Engine>> make(net::Executor, net::WorkerPool&, EngineOptions,
                                              const Clock&, Random&, security::AuditLog&,
                                              net::Metrics&, Logger);
  virtual const net::Endpoint& local() const = 0;
  /// Adds or finds the torrent of this info-hash.
  virtual Result<std::shared_ptr<Torrent>> add(TorrentSpec) = 0;
  virtual std::shared_ptr<Torrent> find(const bt::InfoHash&) = 0;
  virtual void remove(const bt::InfoHash&) = 0;
  /// Asked when a peer dials a torrent that is not loaded (SNI, 40 hex): may add it. Null: refuse.
  virtual void on_unknown(std::function<bool(std::string_view short_hex)>) = 0;
  virtual Status replace_identity(net::TlsIdentity) = 0;
  /// Also to be called when the rates of what EngineOptions named were changed.
  virtual void rates_changed(const UploadShares&) = 0;
  virtual net::Task<void> stop() = 0;
};

}  // namespace convoy::swarm
