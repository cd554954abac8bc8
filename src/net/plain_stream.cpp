#include "net/plain_stream.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace convoy::net {

Task<Result<std::size_t>> PlainStream::read_some(MutableByteView out) {
  if (out.empty()) co_return internal_error("empty_read");
  for (;;) {
    if (!socket_->open()) co_return cancelled();
    const ssize_t n = ::recv(socket_->fd(), out.data(), out.size(), 0);
    if (n >= 0) {
      const auto got = static_cast<std::size_t>(n);
      if (socket_->spend(got)) co_await socket_->pause();
      co_return got;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return socket_error(errno);
    auto ready =
        co_await socket_->wait(Socket::Ready::read, Socket::Lane::reader, socket_->idle_deadline());
    if (!ready) co_return std::move(ready).error();
  }
}

Task<Status> PlainStream::write(ByteView head, ByteView rest) {
  // After a write that broke off in the middle the peer would take the next one for its rest.
  if (write_failed_) co_return unavailable("stream_failed", "an earlier write broke off");
  auto written = co_await socket_->send(head, rest);
  if (written) written = co_await socket_->drained();
  write_failed_ = !written.ok();
  co_return written;
}

Task<Status> PlainStream::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  if (write_failed_) co_return unavailable("stream_failed", "an earlier write broke off");
  auto sent = co_await socket_->send_file(fd, offset, length);
  if (sent) sent = co_await socket_->drained();
  write_failed_ = !sent.ok();
  co_return sent;
}

Task<Status> PlainStream::shutdown_write() {
  if (!socket_->open()) co_return cancelled();
  write_failed_ = true;
  if (::shutdown(socket_->fd(), SHUT_WR) != 0) co_return socket_error(errno);
  co_return Status{};
}

Task<void> PlainStream::close() {
  socket_->drop_unread();
  socket_->close();
  co_return;
}

bool PlainStream::quiet() {
  if (!socket_->open()) return false;
  std::uint8_t byte = 0;
  return ::recv(socket_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace convoy::net
