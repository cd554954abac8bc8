#include "net/plain_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace convoy::net {
namespace {
constexpr std::uint64_t kSendfileStep = 1024 * 1024;
}

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
  auto written = co_await write_all(head);
  if (written) written = co_await write_all(rest);
  if (written) written = co_await socket_->drained();
  write_failed_ = !written.ok();
  co_return written;
}

Task<Status> PlainStream::write_all(ByteView data) {
  while (!data.empty()) {
    if (!socket_->open()) co_return cancelled();
    const ssize_t n = ::send(socket_->fd(), data.data(), data.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      data = data.subspan(static_cast<std::size_t>(n));
      if (socket_->spend(static_cast<std::size_t>(n))) co_await socket_->pause();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return socket_error(errno);
    auto ready = co_await socket_->wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
}

Task<Status> PlainStream::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  if (write_failed_) co_return unavailable("stream_failed", "an earlier write broke off");
  auto sent = co_await send_all(fd, offset, length);
  if (sent) sent = co_await socket_->drained();
  write_failed_ = !sent.ok();
  co_return sent;
}

Task<Status> PlainStream::send_all(int file, std::uint64_t offset, std::uint64_t length) {
  auto at = static_cast<off_t>(offset);
  while (length > 0) {
    if (!socket_->open()) co_return cancelled();
    const auto step = static_cast<std::size_t>(std::min(length, kSendfileStep));
    const ssize_t n = ::sendfile(socket_->fd(), file, &at, step);
    if (n > 0) {
      length -= static_cast<std::uint64_t>(n);
      if (socket_->spend(static_cast<std::size_t>(n))) co_await socket_->pause();
      continue;
    }
    if (n == 0) co_return corrupt("file_short", "the file ended before the length promised");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return socket_error(errno);
    auto ready = co_await socket_->wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
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
