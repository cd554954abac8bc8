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

/// What stands between OpenSSL and the socket to read from.
struct Reader {
  static constexpr const char* kName = "records";
  explicit Reader(Socket& s) : socket(s) {}

  Socket& socket;
  RecordTrack track;
  std::size_t barren = 0;  ///< bytes read since application data came
  bool ended = false;
};

/// The same to write to.
struct Writer {
  static constexpr const char* kName = "gather";
  explicit Writer(Socket& s) : socket(s) {}

  Socket& socket;
  std::optional<PooledBuffer> buffer;
  std::size_t begin = 0, end = 0;
};

template <class State>
State& state_of(BIO* bio) {
  return *static_cast<State*>(BIO_get_data(bio));
}

template <class State>
int destroy(BIO* bio) {
  delete static_cast<State*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

template <class State, class Install>
BIO_METHOD* new_method(int kind, Install install) {
  BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | kind, State::kName);
  if (m == nullptr) return m;
  BIO_meth_set_destroy(m, destroy<State>);
  install(m);
  return m;
}

template <class State>
BIO* new_bio(const BIO_METHOD* method, Socket& socket) {
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, new State(socket));
  BIO_set_init(bio, 1);
  return bio;
}

void note(Reader& s, ByteView bytes) {
  const std::size_t records = s.track.feed(bytes);
  s.socket.spend(bytes.size() + records * kRecordCost);
  s.barren += bytes.size();
}

int read(BIO* bio, char* out, int length) {
  Reader& s = state_of<Reader>(bio);
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

long control_reader(BIO* bio, int command, long, void*) {
  return command == BIO_CTRL_EOF && state_of<Reader>(bio).ended ? 1 : 0;
}

/// 1 when nothing is left; -1, with the retry flag when the socket is full.
int flush(BIO* bio, Writer& s) {
  BIO_clear_retry_flags(bio);
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

int write_through(BIO* bio, const char* data, int length) {
  const int n = BIO_write(BIO_next(bio), data, length);
  BIO_copy_next_retry(bio);
  return n;
}

int write(BIO* bio, const char* data, int length) {
  Writer& s = state_of<Writer>(bio);
  BIO_clear_retry_flags(bio);
  if (length <= 0) return 0;
  // The kernel makes records of what it is given: a control message must not wait for a flush.
  if (BIO_get_ktls_send(BIO_next(bio))) return write_through(bio, data, length);
  if (s.end == kGather && flush(bio, s) != 1) return -1;
  if (!s.buffer) s.buffer.emplace(PooledBuffer::take(s.socket.executor()));
  const std::size_t n = std::min(static_cast<std::size_t>(length), kGather - s.end);
  std::memcpy(s.buffer->span().data() + s.end, data, n);
  s.end += n;
  return static_cast<int>(n);
}

long control_writer(BIO* bio, int command, long number, void* data) {
  Writer& s = state_of<Writer>(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      return flush(bio, s);
    case BIO_CTRL_WPENDING:
      return static_cast<long>(s.end - s.begin);
    default:
      // Among them those by which OpenSSL gives the kernel its keys.
      return BIO_ctrl(BIO_next(bio), command, number, data);
  }
}

const BIO_METHOD* reading() {
  static const BIO_METHOD* const kMethod =
      new_method<Reader>(BIO_TYPE_SOURCE_SINK, [](BIO_METHOD* m) {
        BIO_meth_set_read(m, read);
        BIO_meth_set_ctrl(m, control_reader);
      });
  return kMethod;
}

const BIO_METHOD* writing() {
  static const BIO_METHOD* const kMethod = new_method<Writer>(BIO_TYPE_FILTER, [](BIO_METHOD* m) {
    BIO_meth_set_write(m, write);
    BIO_meth_set_ctrl(m, control_writer);
  });
  return kMethod;
}

}  // namespace

bool attach_socket(SSL* ssl, Socket& socket) {
  BIO* in = new_bio<Reader>(reading(), socket);
  BIO* out = new_bio<Writer>(writing(), socket);
  BIO* below = BIO_new_socket(socket.fd(), BIO_NOCLOSE);
  if (in == nullptr || out == nullptr || below == nullptr) {
    for (BIO* bio : {in, out, below}) BIO_free(bio);
    return false;
  }
  SSL_set_bio(ssl, in, BIO_push(out, below));
  return true;
}

std::size_t missing_of_record(const SSL* ssl) {
  return state_of<Reader>(SSL_get_rbio(ssl)).track.missing();
}

void data_came(const SSL* ssl) { state_of<Reader>(SSL_get_rbio(ssl)).barren = 0; }

}  // namespace convoy::net::tls
