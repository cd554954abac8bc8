#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/socket.hpp"

namespace convoy::net {
namespace {

constexpr std::uint64_t kSendfileStep = 1024 * 1024;

iovec part_of(ByteView bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg(2) only reads it
}

/// Takes the first `n` bytes off the two.
void advance(ByteView& head, ByteView& rest, std::size_t n) {
  const std::size_t of_head = std::min(n, head.size());
  head = head.subspan(of_head);
  rest = rest.subspan(n - of_head);
}

}  // namespace

Task<Status> Socket::send(ByteView head, ByteView rest) {
  while (head.size() + rest.size() > 0) {
    if (!open()) co_return cancelled();
    std::array<iovec, 2> parts{part_of(head), part_of(rest)};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t n = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    if (n >= 0) {
      advance(head, rest, static_cast<std::size_t>(n));
      if (spend(static_cast<std::size_t>(n))) co_await pause();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return socket_error(errno);
    auto ready = co_await wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
}

Task<Status> Socket::send_file(int file, std::uint64_t offset, std::uint64_t length) {
  auto at = static_cast<off_t>(offset);
  while (length > 0) {
    if (!open()) co_return cancelled();
    const auto step = static_cast<std::size_t>(std::min(length, kSendfileStep));
    const ssize_t n = ::sendfile(fd(), file, &at, step);
    if (n > 0) {
      length -= static_cast<std::uint64_t>(n);
      if (spend(static_cast<std::size_t>(n))) co_await pause();
      continue;
    }
    if (n == 0) co_return corrupt("file_short", "the file ended before the length promised");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return socket_error(errno);
    auto ready = co_await wait_to_write();
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
}

}  // namespace convoy::net
