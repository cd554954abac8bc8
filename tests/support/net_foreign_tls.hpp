#pragma once

#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace convoy::test {

/// A TLS client that is OpenSSL alone, on blocking sockets, which trusts anyone.
class ForeignTls {
 public:
  ~ForeignTls() { disconnect(); }

  SSL_CTX* context() { return context_.get(); }
  /// Made of the context at the first call.
  SSL* session() {
    if (!session_) session_.reset(SSL_new(context_.get()));
    return session_.get();
  }
  /// Once; the connection stays.
  bool connects(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    SSL_set_fd(session(), fd_);
    return connected && SSL_connect(session()) == 1;
  }
  /// The same, and the connection is closed again.
  bool handshakes(std::uint16_t port) {
    const bool ok = connects(port);
    disconnect();
    return ok;
  }
  /// So many bytes of KeyUpdates, which are not sent yet.
  std::string key_updates(std::size_t bytes) {
    return sealed([bytes](SSL* ssl, BIO* out) {
      while (BIO_pending(out) < static_cast<int>(bytes)) {
        if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return;
        if (SSL_do_handshake(ssl) != 1) return;
      }
    });
  }
  /// A record of this text, which is not sent yet.
  std::string record(std::string_view text) {
    return sealed(
        [text](SSL* ssl, BIO*) { SSL_write(ssl, text.data(), static_cast<int>(text.size())); });
  }
  /// To the kernel, for as long as the other end lives.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  template <class F>
  std::string sealed(F write) {
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set0_wbio(session(), out);
    write(session(), out);
    char* data = nullptr;
    const long n = BIO_get_mem_data(out, &data);
    return {data, static_cast<std::size_t>(n)};
  }
  void disconnect() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  struct Free {
    void operator()(SSL_CTX* of) const { SSL_CTX_free(of); }
    void operator()(SSL* of) const { SSL_free(of); }
  };
  std::unique_ptr<SSL_CTX, Free> context_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, Free> session_;
  int fd_ = -1;
};

}  // namespace convoy::test
