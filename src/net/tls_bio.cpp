#include "net/tls_bio.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>

#include "net/buffer_pool.hpp"
#include "net/tls_records.hpp"

namespace convoy::net::tls {
namespace {

constexpr std::size_t kGather = 128 * 1024;
static_assert(kGather <= PooledBuffer::kSize);
/// What a record costs beyond its bytes, in bytes: a KeyUpdate of 27 costs a key derivation.
constexpr std::size_t kRecordCost = 1024;
/// More than a handshake is long.
constexpr std::size_t kMostBarren = 256 * 1024;

struct State {
  explicit State(Socket& s) : socket(s) {}

  Socket& socket;
  RecordTrack track;
  std::optional<PooledBuffer> buffer;
  std::size_t begin = 0, end = 0;
  std::size_t barren = 0;  ///< bytes read since application data came
  bool ended = false;
};

State& state_of(BIO* bio) { return *static_cast<State*>(BIO_get_data(bio)); }

void note(State& s, ByteView bytes) {
  const std::size_t records = s.track.feed(bytes);
  s.socket.spend(bytes.size() + records * kRecordCost);
  s.barren += bytes.size();
}

int read(BIO* bio, char* out, int length) {
  State& s = state_of(bio);
  BIO_clear_retry_flags(bio);
  if (s.barren >= kMostBarren) {
    errno = EPROTO;
    return -1;
  }
  // Whoever then waits for the socket is called again at once when more is there.
  if (s.socket.spent()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  ssize_t n = -1;
  do {
    n = ::recv(s.socket.fd(), out, static_cast<std::size_t>(std::max(length, 0)), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  if (n > 0) note(s, {reinterpret_cast<const std::uint8_t*>(out), static_cast<std::size_t>(n)});
  if (n == 0) s.ended = true;
  return static_cast<int>(n);
}

/// 1 when nothing is left; -1, with the retry flag when the socket is full.
int flush(BIO* bio, State& s) {
  while (s.begin < s.end) {
    const ssize_t n =
        ::send(s.socket.fd(), s.buffer->span().data() + s.begin, s.end - s.begin, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno == EAGAIN) BIO_set_retry_write(bio);
      return -1;
    }
    s.begin += static_cast<std::size_t>(n);
  }
  s.begin = s.end = 0;
  s.buffer.reset();
  return 1;
}

int write(BIO* bio, const char* data, int length) {
  State& s = state_of(bio);
  BIO_clear_retry_flags(bio);
  if (length <= 0) return 0;
  if (s.end == kGather && flush(bio, s) != 1) return -1;
  if (!s.buffer) s.buffer.emplace(PooledBuffer::take(s.socket.executor()));
  const std::size_t n = std::min(static_cast<std::size_t>(length), kGather - s.end);
  std::memcpy(s.buffer->span().data() + s.end, data, n);
  s.end += n;
  return static_cast<int>(n);
}

long control(BIO* bio, int command, long, void*) {
  State& s = state_of(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      BIO_clear_retry_flags(bio);
      return flush(bio, s);
    case BIO_CTRL_WPENDING:
      return static_cast<long>(s.end - s.begin);
    case BIO_CTRL_EOF:
      return s.ended ? 1 : 0;
    default:
      return 0;
  }
}

int destroy(BIO* bio) {
  delete static_cast<State*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (m == nullptr) return m;
    BIO_meth_set_read(m, read);
    BIO_meth_set_write(m, write);
    BIO_meth_set_ctrl(m, control);
    BIO_meth_set_destroy(m, destroy);
    return m;
  }();
  return kMethod;
}

}  // namespace

BIO* socket_bio(Socket& socket) {
  BIO* bio = method() == nullptr ? nullptr : BIO_new(method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, new State(socket));
  BIO_set_init(bio, 1);
  return bio;
}

std::size_t missing_of_record(BIO* bio) { return state_of(bio).track.missing(); }

void data_came(BIO* bio) { state_of(bio).barren = 0; }

}  // namespace convoy::net::tls
