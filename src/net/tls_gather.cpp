#include "net/tls_gather.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>

#include "net/buffer_pool.hpp"

namespace convoy::net::tls {
namespace {

constexpr std::size_t kGather = 128 * 1024;
static_assert(kGather <= PooledBuffer::kSize);

struct Gather {
  explicit Gather(Socket& s) : socket(s) {}

  Socket& socket;
  std::optional<PooledBuffer> buffer;
  std::size_t begin = 0, end = 0;
};

Gather& gather_of(BIO* bio) { return *static_cast<Gather*>(BIO_get_data(bio)); }

/// 1 when nothing is left; -1, with the retry flag when the socket is full.
int flush(BIO* bio, Gather& g) {
  while (g.begin < g.end) {
    const ssize_t n =
        ::send(g.socket.fd(), g.buffer->span().data() + g.begin, g.end - g.begin, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno == EAGAIN) BIO_set_retry_write(bio);
      return -1;
    }
    g.begin += static_cast<std::size_t>(n);
  }
  g.begin = g.end = 0;
  g.buffer.reset();
  return 1;
}

int write(BIO* bio, const char* data, int length) {
  Gather& g = gather_of(bio);
  BIO_clear_retry_flags(bio);
  if (length <= 0) return 0;
  if (g.end == kGather && flush(bio, g) != 1) return -1;
  if (!g.buffer) g.buffer.emplace(PooledBuffer::take(g.socket.executor()));
  const std::size_t n = std::min(static_cast<std::size_t>(length), kGather - g.end);
  std::memcpy(g.buffer->span().data() + g.end, data, n);
  g.end += n;
  return static_cast<int>(n);
}

long control(BIO* bio, int command, long, void*) {
  Gather& g = gather_of(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      BIO_clear_retry_flags(bio);
      return flush(bio, g);
    case BIO_CTRL_WPENDING:
      return static_cast<long>(g.end - g.begin);
    default:
      return 0;
  }
}

int destroy(BIO* bio) {
  delete static_cast<Gather*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gather");
    if (m == nullptr) return m;
    BIO_meth_set_write(m, write);
    BIO_meth_set_ctrl(m, control);
    BIO_meth_set_destroy(m, destroy);
    return m;
  }();
  return kMethod;
}

}  // namespace

BIO* gathering_bio(Socket& socket) {
  BIO* bio = method() == nullptr ? nullptr : BIO_new(method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, new Gather(socket));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace convoy::net::tls
