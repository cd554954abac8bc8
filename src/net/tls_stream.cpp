#include "net/tls_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <openssl/err.h>
#include <unistd.h>

#include "net/buffer_pool.hpp"
#include "net/steady.hpp"
#include "net/tls_bio.hpp"

namespace convoy::net::tls {
namespace {

/// Less is a control message, whose share of what waits unsent is not worth a system call.
constexpr std::size_t kBulk = 4 * 1024;
/// The rest of a record that is worth two system calls to sleep through its packets.
constexpr std::size_t kLongRest = 4 * 1024;
/// RFC 8446 5.2: header, content, its type and the tag.
constexpr std::uint32_t kFullRecord = 5 + 16384 + 1 + 16;

/// SSL_get_error and what it would lose: errno, as it stood after the call.
struct Outcome {
  int code;
  int errno_value;
  bool waits() const { return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE; }
};

Outcome outcome_of(const SSL* ssl, int returned) {
  const int errno_value = errno;
  return {SSL_get_error(ssl, returned), errno_value};
}

void prepare_call() {
  ERR_clear_error();
  errno = 0;
}

Socket::Ready wanted(const Outcome& outcome) {
  return outcome.code == SSL_ERROR_WANT_WRITE ? Socket::Ready::write : Socket::Ready::read;
}

/// OpenSSL or the kernel may hold the rest of a record: nothing else can follow.
Error broke_off() { return unavailable("stream_failed", "an earlier write broke off"); }

}  // namespace

TlsStream::TlsStream(std::unique_ptr<Socket> socket, std::unique_ptr<Connection> connection,
                     Owned<SSL> ssl, TlsInfo info)
    : socket_(std::move(socket)),
      connection_(std::move(connection)),
      ssl_(std::move(ssl)),
      info_(std::move(info)) {}

TlsStream::~TlsStream() {
  // Else OpenSSL gives the session up because no close_notify was sent, which TLS 1.3 does not ask.
  if (!poisoned_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

Error TlsStream::fail(int outcome, int errno_value) {
  fatal_ = true;
  Error error = stream_error(outcome, errno_value);
  poisoned_ = error.code() == "tls_alert" || error.code() == "stream_failed";
  return error;
}

Task<Result<std::size_t>> TlsStream::read_some(MutableByteView out) {
  if (out.empty()) co_return internal_error("empty_read");
  if (thrifty_ && SSL_has_pending(ssl_.get()) == 0) {
    auto ready = co_await socket_->gather(kFullRecord, socket_->idle_deadline());
    if (!ready) co_return std::move(ready).error();
  }
  std::size_t total = 0;
  for (;;) {
    if (!socket_->open()) co_return cancelled();
    prepare_call();
    std::size_t n = 0;
    const int returned = SSL_read_ex(ssl_.get(), out.data() + total, out.size() - total, &n);
    if (returned == 1) {
      total += n;
      data_came(ssl_.get());
      // What OpenSSL holds already costs no system call.
      if (total < out.size() && SSL_has_pending(ssl_.get()) == 1) continue;
    }
    // An end or a failure is told again by the next call.
    if (total > 0) {
      ERR_clear_error();
      if (socket_->spent()) co_await socket_->pause();
      co_return total;
    }
    const Outcome outcome = outcome_of(ssl_.get(), returned);
    if (outcome.code == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
    if (!outcome.waits()) {
      co_return fail(outcome.code, outcome.errno_value);
    }
    auto ready = co_await wait_in_read(wanted(outcome));
    if (!ready) co_return std::move(ready).error();
  }
}

Task<Status> TlsStream::wait_in_read(Socket::Ready wanted) {
  const SteadyTime until = socket_->idle_deadline();
  const bool whole = whole_records_ && wanted == Socket::Ready::read;
  const std::size_t rest = whole ? missing_of_record(ssl_.get()) : 0;
  if (rest >= kLongRest) {
    return socket_->wait_for(static_cast<std::uint32_t>(rest), thrifty_, until);
  }
  socket_->set_receive_lowat(1);
  return socket_->wait(wanted, Socket::Lane::reader, until);
}

Task<Status> TlsStream::write(ByteView head, ByteView rest) {
  Status written = may_write();
  if (written) written = co_await put(head, rest);
  if (written && head.size() + rest.size() >= kBulk) written = co_await socket_->drained();
  write_failed_ = !written.ok();
  co_return written;
}

Status TlsStream::may_write() const {
  if (write_failed_) return broke_off();
  if (!kernel_sends()) return {};
  // The kernel would go on where OpenSSL does not.
  if (fatal_) return broke_off();
  if (SSL_get_key_update_type(ssl_.get()) != SSL_KEY_UPDATE_NONE) {
    return unavailable("stream_failed",
                       "the peer asked for new keys, which the kernel has no way to take");
  }
  return {};
}

Task<Status> TlsStream::put(ByteView head, ByteView rest) {
  return kernel_sends() ? socket_->send(head, rest) : seal(head, rest);
}

Task<Status> TlsStream::seal(ByteView head, ByteView rest) {
  auto sealed = co_await write_all(head);
  if (sealed) sealed = co_await write_all(rest);
  if (sealed) sealed = co_await flush();
  co_return sealed;
}

Task<Status> TlsStream::write_all(ByteView data) {
  while (!data.empty()) {
    if (!socket_->open()) co_return cancelled();
    prepare_call();
    std::size_t n = 0;
    const int returned = SSL_write_ex(ssl_.get(), data.data(), data.size(), &n);
    if (returned == 1) {
      data = data.subspan(n);
      if (socket_->spend(n)) co_await socket_->pause();
      continue;
    }
    const Outcome outcome = outcome_of(ssl_.get(), returned);
    if (!outcome.waits()) {
      co_return fail(outcome.code, outcome.errno_value);
    }
    auto ready = co_await wait_in_write(wanted(outcome));
    if (!ready) co_return std::move(ready).error();
  }
  co_return Status{};
}

Task<Status> TlsStream::wait_in_write(Socket::Ready wanted) {
  if (wanted == Socket::Ready::write) return socket_->wait_to_write();
  return socket_->wait(wanted, Socket::Lane::writer, socket_->idle_deadline());
}

Task<Status> TlsStream::flush(std::optional<SteadyTime> until) {
  BIO* out = SSL_get_wbio(ssl_.get());
  for (;;) {
    if (!socket_->open()) co_return cancelled();
    prepare_call();
    if (BIO_flush(out) == 1) co_return Status{};
    const int errno_value = errno;
    if (BIO_should_retry(out) == 0) co_return fail(SSL_ERROR_SYSCALL, errno_value);
    Task<Status> wait = until ? socket_->wait(Socket::Ready::write, Socket::Lane::writer, *until)
                              : socket_->wait_to_write();
    auto ready = co_await std::move(wait);
    if (!ready) co_return std::move(ready).error();
  }
}

Task<Status> TlsStream::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  return kernel_sends() ? send_by_kernel(fd, offset, length) : send_copies(fd, offset, length);
}

Task<Status> TlsStream::send_by_kernel(int fd, std::uint64_t offset, std::uint64_t length) {
  Status sent = may_write();
  if (sent) sent = co_await socket_->send_file(fd, offset, length);
  if (sent) sent = co_await socket_->drained();
  write_failed_ = !sent.ok();
  co_return sent;
}

Task<Status> TlsStream::send_copies(int fd, std::uint64_t offset, std::uint64_t length) {
  while (length > 0) {
    // A reader that is slow must not hold a buffer while it is waited for.
    auto room = co_await socket_->room();
    if (!room) co_return std::move(room).error();
    PooledBuffer buffer = PooledBuffer::take(socket_->executor());
    const std::size_t most = std::min(*room, buffer.kSize);
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(length, most));
    const ssize_t n = ::pread(fd, buffer.span().data(), step, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) co_return internal_error("file_failed", std::to_string(errno));
    if (n == 0) co_return corrupt("file_short", "the file ended before the length promised");
    const auto got = static_cast<std::size_t>(n);
    auto written = co_await write(buffer.span().first(got));
    if (!written) co_return written;
    offset += got;
    length -= got;
  }
  co_return Status{};
}

Task<Status> TlsStream::send_close_notify(SteadyTime until) {
  while (socket_->open() && !fatal_) {
    prepare_call();
    const int returned = SSL_shutdown(ssl_.get());
    if (returned >= 0) {
      // OpenSSL does not look whether the alert went further than the BIO.
      auto flushed = co_await flush(until);
      co_return flushed;
    }
    const Outcome outcome = outcome_of(ssl_.get(), returned);
    if (outcome.code != SSL_ERROR_WANT_WRITE) {
      co_return fail(outcome.code, outcome.errno_value);
    }
    auto ready = co_await socket_->wait(Socket::Ready::write, Socket::Lane::writer, until);
    if (!ready) co_return std::move(ready).error();
  }
  co_return cancelled();
}

Task<Status> TlsStream::shutdown_write() {
  if (write_failed_) co_return broke_off();
  write_failed_ = true;
  auto sent = co_await send_close_notify(socket_->idle_deadline());
  co_return sent;
}

Task<void> TlsStream::close() {
  constexpr Duration kLimit = std::chrono::seconds(1);
  const SteadyTime until = steady_after(kLimit);
  // An orderly end after a write that broke off would pass half an answer off as a whole one.
  if (socket_->open() && !write_failed_) {
    static_cast<void>(co_await send_close_notify(until));
  }
  socket_->drop_unread();
  socket_->close();
}

bool TlsStream::quiet() {
  if (!socket_->open() || fatal_) return false;
  prepare_call();
  std::uint8_t byte = 0;
  std::size_t n = 0;
  const int returned = SSL_peek_ex(ssl_.get(), &byte, 1, &n);
  if (returned == 1) return false;
  const int outcome = SSL_get_error(ssl_.get(), returned);
  ERR_clear_error();
  return outcome == SSL_ERROR_WANT_READ && !socket_->spent();
}

}  // namespace convoy::net::tls
