#pragma once

#include <memory>
#include <optional>

#include "net/socket.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"

namespace convoy::net::tls {

/// Internal to net: TLS after its handshake. OpenSSL reads and writes the non-blocking socket
/// itself; this class waits where OpenSSL cannot go on. What the kernel encrypts goes past OpenSSL.
class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Socket>, std::unique_ptr<Connection>, Owned<SSL>, TlsInfo);
  ~TlsStream() override;

  Task<Result<std::size_t>> read_some(MutableByteView) override;
  using Stream::write;
  Task<Status> write(ByteView head, ByteView rest) override;
  Task<Status> send_file(int fd, std::uint64_t offset, std::uint64_t length) override;
  Task<Status> shutdown_write() override;
  Task<void> close() override;
  void abort() noexcept override { socket_->close(); }
  bool quiet() override;

  void set_idle_timeout(Duration d) override { socket_->set_idle_timeout(d); }
  void set_notsent_lowat(std::uint32_t bytes) override { socket_->set_notsent_lowat(bytes); }
  void read_whole_records(bool thrifty) override {
    whole_records_ = true;
    thrifty_ = thrifty;
  }
  const Endpoint& remote() const override { return socket_->remote(); }
  const Endpoint& local() const override { return socket_->local(); }
  const std::optional<TlsInfo>& tls() const override { return info_; }
  Executor executor() const override { return socket_->executor(); }

 private:
  /// Whoever encrypts. seal(): records that are encrypted here.
  Task<Status> put(ByteView head, ByteView rest);
  Task<Status> seal(ByteView head, ByteView rest);
  Task<Status> write_all(ByteView);
  Task<Status> send_by_kernel(int fd, std::uint64_t offset, std::uint64_t length);
  Task<Status> send_copies(int fd, std::uint64_t offset, std::uint64_t length);
  bool kernel_sends() const { return info_->kernel_sends; }
  Status may_write() const;
  Task<Status> wait_in_read(Socket::Ready wanted);
  Task<Status> wait_in_write(Socket::Ready wanted);
  Task<Status> flush(std::optional<SteadyTime> until = {});
  Task<Status> send_close_notify(SteadyTime until);
  Error fail(int outcome, int errno_value);

  std::unique_ptr<Socket> socket_;
  std::unique_ptr<Connection> connection_;
  Owned<SSL> ssl_;
  std::optional<TlsInfo> info_;
  bool fatal_ = false;     ///< OpenSSL must not be asked for a close_notify any more
  bool poisoned_ = false;  ///< the protocol failed: the session must not be resumed
  bool write_failed_ = false;
  bool whole_records_ = false;
  bool thrifty_ = false;
};

/// What a failed call on an established connection means. `outcome` is SSL_get_error's.
Error stream_error(int outcome, int errno_value);
/// The same for a handshake.
Error handshake_error(const SSL*, int outcome, int errno_value);

}  // namespace convoy::net::tls
