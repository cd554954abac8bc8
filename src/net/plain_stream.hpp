#pragma once

#include <memory>
#include <optional>

#include "net/socket.hpp"
#include "net/stream.hpp"

namespace convoy::net {

/// Internal to net: TCP without TLS.
class PlainStream final : public Stream {
 public:
  explicit PlainStream(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}

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
  const Endpoint& remote() const override { return socket_->remote(); }
  const Endpoint& local() const override { return socket_->local(); }
  const std::optional<TlsInfo>& tls() const override { return tls_; }
  Executor executor() const override { return socket_->executor(); }

  int fd() { return socket_->fd(); }
  /// Also of what becomes of it by a TLS handshake.
  void set_least_write_rate(std::uint64_t bytes_per_second, Duration span) {
    socket_->set_least_write_rate(bytes_per_second, span);
  }
  /// For the TLS handshake. The stream may only be destroyed afterwards.
  std::unique_ptr<Socket> release() { return std::move(socket_); }

 private:
  std::unique_ptr<Socket> socket_;
  std::optional<TlsInfo> tls_;
  bool write_failed_ = false;
};

}  // namespace convoy::net
