#pragma once

#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace convoy::test {

/// A TLS client that is OpenSSL alone, on blocking sockets, which trusts anyone.
class ForeignTls {
 public:
  SSL_CTX* context() { return context_.get(); }
  /// Made of the context at the first call.
  SSL* session() {
    if (!session_) session_.reset(SSL_new(context_.get()));
    return session_.get();
  }
  /// Once; the connection is closed again.
  bool handshakes(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    SSL_set_fd(session(), fd);
    const bool ok = connected && SSL_connect(session()) == 1;
    ::close(fd);
    return ok;
  }

 private:
  struct Free {
    void operator()(SSL_CTX* of) const { SSL_CTX_free(of); }
    void operator()(SSL* of) const { SSL_free(of); }
  };
  std::unique_ptr<SSL_CTX, Free> context_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, Free> session_;
};

}  // namespace convoy::test
