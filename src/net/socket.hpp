#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/arrival.hpp"
#include "net/pace.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// Internal to net: a connected, non-blocking TCP socket with what plain and TLS streams share:
/// waiting for readiness, the idle watch, fairness, an orderly end. One thread.
class Socket {
 public:
  /// Who waits. Each lane has at most one waiter; either may wait for either kind of readiness.
  enum class Lane : std::uint8_t { reader, writer };
  enum class Ready : std::uint8_t { read, write };

  /// Takes the descriptor, which must be non-blocking. Sets TCP_NODELAY and SO_KEEPALIVE and
  /// makes the process ignore SIGPIPE.
  Socket(Executor, int fd);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool open() const { return descriptor_.is_open(); }
  /// Only while open().
  int fd() { return descriptor_.native_handle(); }
  Executor executor() { return descriptor_.get_executor(); }
  const Endpoint& remote() const { return remote_; }
  const Endpoint& local() const { return local_; }
  /// Asks the kernel for both addresses (again): needed after a connect(2).
  void refresh_endpoints();

  void set_idle_timeout(Duration d) { idle_ = d; }
  Duration idle_timeout() const { return idle_; }
  /// Now plus the idle timeout.
  SteadyTime idle_deadline() const;

  /// Suspends until the socket may be ready (spurious wake-ups happen). Errors "stream_idle"
  /// at `until`, "cancelled" after close() or when the coroutine is cancelled.
  Task<Status> wait(Ready, Lane, SteadyTime until);
  /// wait(Ready::write, Lane::writer) for as long as the peer takes what was written:
  /// "stream_idle" comes when it acknowledged nothing for the idle timeout, "reader_too_slow" when
  /// it takes less than set_least_write_rate() said. Nothing may be written meanwhile.
  Task<Status> wait_to_write();
  /// Judged after each `span` spent in wait_to_write(); 0: any. A peer that takes nothing at all is
  /// for the idle timeout to judge.
  void set_least_write_rate(std::uint64_t bytes_per_second, Duration span) {
    pace_ = {bytes_per_second, span, Pace::Stall::passes};
  }
  /// Waits while the socket is full; then about how many bytes can be written without waiting.
  Task<Result<std::size_t>> room();
  /// Counts work done without suspending; true when the loop should get a turn: pause().
  bool spend(std::size_t bytes);
  /// What spend() said last, until the loop had a turn.
  bool spent() const { return budget_ == 0; }
  Task<void> pause();

  /// The one, then the other, by one system call where they fit.
  Task<Status> send(ByteView head, ByteView rest);
  /// By sendfile(2).
  Task<Status> send_file(int file, std::uint64_t offset, std::uint64_t length);

  void set_notsent_lowat(std::uint32_t bytes);
  /// Suspends until the kernel holds less unsent than set_notsent_lowat() said.
  Task<Status> drained();

  /// SO_RCVLOWAT: wait() for reading lasts until so much is there (or the end, or an error).
  void set_receive_lowat(std::uint32_t bytes);
  /// wait(Ready::read, Lane::reader) for the rest of what came in part: mostly until all `bytes` of
  /// it are there. `thrifty`: by Stream::read_whole_records(). Sets set_receive_lowat() as it needs
  /// it.
  Task<Status> wait_for(std::uint32_t bytes, bool thrifty, SteadyTime until);
  /// Where bulk comes in slowly: waits until something is there and, when it is more than a packet,
  /// mostly until all of `bytes` are. Returns at once elsewhere.
  Task<Status> gather(std::uint32_t bytes, SteadyTime until);

  /// FIN, then drops what still comes until the peer's end, so that closing sends no reset over
  /// what was written.
  Task<void> linger(Duration limit);
  /// Drops what has arrived unread, over which a close would send a reset. Does not wait.
  void drop_unread();
  void close() noexcept;

 private:
  struct Watch;
  static constexpr std::size_t kBurst = 1024 * 1024;
  std::size_t unacknowledged();
  std::size_t readable();
  void set_narrow(bool narrow);
  Task<Status> doze(std::uint32_t bytes, int naps, SteadyTime until);
  void note_arrival(std::size_t bytes, Duration elapsed);

  asio::posix::stream_descriptor descriptor_;
  std::shared_ptr<Watch> watch_;
  Endpoint remote_;
  Endpoint local_;
  Duration idle_ = std::chrono::seconds(60);
  std::size_t budget_;
  std::uint32_t lowat_ = 0;
  std::uint32_t receive_lowat_ = 1;
  bool narrow_ = false;  ///< its receive window
  Arrival arrival_;
  Pace pace_{0, Duration::zero()};
};

/// The error of a failed call on a connected socket.
Error socket_error(int errno_value);

}  // namespace convoy::net
