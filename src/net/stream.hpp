#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/task.hpp"

struct x509_st;

namespace convoy::net {

struct Endpoint {
  std::string ip;  ///< textual, IPv4 or IPv6
  std::uint16_t port = 0;
  std::string str() const;  ///< "1.2.3.4:5", "[::1]:5"
  bool loopback() const;    ///< 127.0.0.0/8 or ::1
};

/// What TLS established. Present once the handshake is over.
struct TlsInfo {
  std::string version;      ///< "TLSv1.3"
  std::string server_name;  ///< SNI, "" when none
  /// DER, leaf first, without the trust anchor; empty when the peer showed none. Verified
  /// against the context's roots whenever it is not empty, also when resumed.
  std::vector<Bytes> peer_chain;
  /// Its leaf as TLS has parsed it (parsing one costs some 0.2 ms); null when the peer showed none.
  std::shared_ptr<x509_st> peer;
  std::string alpn;  ///< the protocol agreed on, "" for none
  bool resumed = false;
  bool kernel_sends = false;  ///< the kernel encrypts (kTLS), not the process
};

/// A byte stream, plain TCP or TLS. Used by one thread: that of its executor; one reader and
/// one writer coroutine may be active at a time, and must be over before it is destroyed
/// (abort() ends them). Bytes and errors only: no policy. Destroying it without close() ends
/// the connection at once, which a TLS peer sees as a cut. Every operation ends with
/// "cancelled" when its coroutine is cancelled. A write that failed makes all later ones fail.
/// Errors: "stream_reset", "stream_failed", "stream_truncated", "tls_alert" (unauthorized when
/// the peer did not like our certificate), "stream_idle", "reader_too_slow", "cancelled"; of
/// send_file also "file_short", "file_failed".
class Stream {
 public:
  virtual ~Stream() = default;

  /// At least one byte; 0 is the peer's orderly end. A TLS stream that ends without
  /// close_notify is the error "stream_truncated".
  virtual Task<Result<std::size_t>> read_some(MutableByteView) = 0;
  /// All of it, in order.
  Task<Status> write(ByteView data) { return write(data, {}); }
  /// The one, then the other; over TLS by one system call where they fit.
  virtual Task<Status> write(ByteView head, ByteView rest) = 0;
  /// `length` bytes of a file from `offset`: sendfile(2) on plain TCP and where the kernel
  /// encrypts, else pread in pooled buffers.
  virtual Task<Status> send_file(int fd, std::uint64_t offset, std::uint64_t length) = 0;
  /// close_notify where there is TLS, then close. Never waits longer than a second. A peer
  /// that is still sending then gets a reset: shutdown_write() and read to its end to avoid it.
  virtual Task<void> close() = 0;
  /// Says that nothing more will be written (close_notify, FIN); reading goes on.
  virtual Task<Status> shutdown_write();
  /// Closes at once; pending operations end with "cancelled". Safe to repeat.
  virtual void abort() noexcept = 0;

  /// Whether nothing waits to be read: no byte, no end, no error. A pooled connection that is
  /// not quiet between two messages is of no further use.
  virtual bool quiet() { return true; }

  /// An operation that makes no progress for this long ends with class timeout, code
  /// "stream_idle"; the peer's acknowledgements are progress. Default 60 s; zero switches it off.
  virtual void set_idle_timeout(Duration) = 0;
  /// TCP_NOTSENT_LOWAT: write() then finishes only when less than this is unsent in the kernel,
  /// so that what comes next can still be chosen late.
  virtual void set_notsent_lowat(std::uint32_t bytes) = 0;
  /// From now on a TLS stream's reader wakes when a long record is whole, not with each of its
  /// packets; the idle timeout then counts from record to record. Saves most of the wake-ups where
  /// bulk comes in slowly. `thrifty`: while it does, the receive window is kept small, so that
  /// queues on the way stay short and the kernel acknowledges whole records instead of every
  /// second packet; a pause amid a record restarts the idle timeout. For one of many connections
  /// that share a link (ADR 19).
  virtual void read_whole_records(bool thrifty) { static_cast<void>(thrifty); }

  virtual const Endpoint& remote() const = 0;
  virtual const Endpoint& local() const = 0;
  virtual const std::optional<TlsInfo>& tls() const = 0;
  virtual Executor executor() const = 0;
};

using StreamPtr = std::unique_ptr<Stream>;

}  // namespace convoy::net
