#include <arpa/inet.h>
#include <cerrno>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "net/plain_stream.hpp"
#include "net/steady.hpp"
#include "net/tls.hpp"
#include "net/tls_bio.hpp"
#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

namespace convoy::net {
namespace tls {
namespace {

/// How long a peer that was refused gets to read why.
constexpr Duration kRefusalLinger = std::chrono::milliseconds(200);

bool is_ip(const std::string& name) {
  in6_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

TlsInfo info_of(SSL* ssl) {
  TlsInfo out;
  out.version = SSL_get_version(ssl);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    out.server_name = name;
  }
  out.peer_chain = peer_chain(ssl);
  if (X509* peer = SSL_get1_peer_certificate(ssl)) out.peer = {peer, X509_free};
  out.resumed = SSL_session_reused(ssl) == 1;
  out.kernel_sends = BIO_get_ktls_send(SSL_get_wbio(ssl));
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  out.alpn.assign(reinterpret_cast<const char*>(protocol), size);
  return out;
}

Task<Status> run_handshake(Socket& socket, SSL* ssl, SteadyTime until) {
  for (;;) {
    if (!socket.open()) co_return cancelled();
    ERR_clear_error();
    errno = 0;
    const int returned = SSL_do_handshake(ssl);
    if (returned == 1) co_return Status{};
    const int errno_value = errno;
    const int outcome = SSL_get_error(ssl, returned);
    if (outcome != SSL_ERROR_WANT_READ && outcome != SSL_ERROR_WANT_WRITE) {
      co_return handshake_error(ssl, outcome, errno_value);
    }
    const auto want = outcome == SSL_ERROR_WANT_READ ? Socket::Ready::read : Socket::Ready::write;
    auto ready = co_await socket.wait(want, Socket::Lane::reader, until);
    if (!ready) co_return std::move(ready).error();
  }
}

/// Handshakes; a failure leaves time for the alert to arrive before the connection is torn down.
Task<Result<StreamPtr>> establish(std::unique_ptr<Socket> socket,
                                  std::unique_ptr<Connection> connection, Owned<SSL> ssl,
                                  Duration timeout) {
  SSL* s = ssl.get();
  connection->attach(s);
  if (!attach_socket(s, *socket)) co_return internal_error("tls_handshake", "out of memory");
  const SteadyTime until = steady_after(timeout);
  auto done = co_await run_handshake(*socket, s, until);
  if (!done) {
    const ErrorClass kind = done.error().kind();
    if (kind == ErrorClass::invalid || kind == ErrorClass::unauthorized) {
      if (connection->sessions) connection->sessions->forget(connection->session_key);
      co_await socket->linger(kRefusalLinger);
    }
    co_return std::move(done).error();
  }
  TlsInfo info = info_of(s);
  StreamPtr stream = std::make_unique<TlsStream>(std::move(socket), std::move(connection),
                                                 std::move(ssl), std::move(info));
  co_return stream;
}

Status expect_name(SSL* ssl, const std::string& name, bool verify) {
  const bool ip = is_ip(name);
  bool ok = true;
  if (!name.empty() && !ip) {
    ok = SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(name.c_str())) == 1;
  }
  if (ok && verify) {
    if (name.empty()) return invalid("tls_handshake", "no server name to verify");
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    ok = ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1
            : SSL_set1_host(ssl, name.c_str()) == 1;
  }
  if (!ok) return invalid("tls_handshake", "server name is not usable");
  return {};
}

void offer_session(SSL* ssl, Connection& connection) {
  auto entry = connection.sessions->find(connection.session_key);
  if (!entry || SSL_set_session(ssl, entry->session.get()) != 1) return;
  connection.resumed_chain = std::move(entry->chain);
}

Status offer_alpn(SSL* ssl, const std::vector<std::string>& protocols) {
  Bytes wire;
  for (const auto& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) return invalid("tls_handshake", "ALPN name");
    wire.push_back(static_cast<std::uint8_t>(protocol.size()));
    wire.insert(wire.end(), protocol.begin(), protocol.end());
  }
  // This one function returns 0 for success.
  const bool ok = wire.empty() ||
                  SSL_set_alpn_protos(ssl, wire.data(), static_cast<unsigned>(wire.size())) == 0;
  if (!ok) return internal_error("tls_handshake", "ALPN");
  return {};
}

/// Whether the server showed the pinned certificate. Nothing has been sent to it yet.
Status check_pin(const Stream& stream, const std::optional<Hash256>& pin) {
  if (!pin) return {};
  Hash256 shown{};
  const auto& chain = stream.tls()->peer_chain;
  if (!chain.empty()) SHA256(chain.front().data(), chain.front().size(), shown.data());
  if (chain.empty() || !constant_time_equal(shown, *pin)) {
    return unauthorized("tls_handshake", "the server's certificate is not the pinned one");
  }
  return {};
}

Result<std::unique_ptr<Socket>> take_socket(StreamPtr plain) {
  auto* stream = dynamic_cast<PlainStream*>(plain.get());
  if (stream == nullptr) return internal_error("tls_handshake", "TLS inside TLS is not supported");
  auto socket = stream->release();
  if (!socket->open()) return cancelled();
  return socket;
}

}  // namespace
}  // namespace tls

Task<Result<StreamPtr>> tls_accept(StreamPtr plain, std::shared_ptr<TlsServerContext> context,
                                   Duration timeout) {
  auto socket = tls::take_socket(std::move(plain));
  if (!socket) co_return std::move(socket).error();
  auto connection = std::make_unique<tls::Connection>();
  connection->server = std::static_pointer_cast<tls::ServerContext>(context);
  const tls::Context ctx = connection->server->current();
  tls::Owned<SSL> ssl(SSL_new(ctx.get()));
  if (!ssl) co_return internal_error("tls_handshake", "out of memory");
  SSL_set_accept_state(ssl.get());
  auto stream =
      co_await tls::establish(std::move(*socket), std::move(connection), std::move(ssl), timeout);
  co_return stream;
}

Task<Result<StreamPtr>> tls_connect(StreamPtr plain, std::shared_ptr<TlsClientContext> context,
                                    std::string server_name, Duration timeout) {
  auto socket = tls::take_socket(std::move(plain));
  if (!socket) co_return std::move(socket).error();
  const auto& client = static_cast<const tls::ClientContext&>(*context);
  const auto generation = client.current();
  tls::Owned<SSL> ssl(SSL_new(generation.context.get()));
  if (!ssl) co_return internal_error("tls_handshake", "out of memory");
  SSL_set_connect_state(ssl.get());
  auto named = tls::expect_name(ssl.get(), server_name, client.options().verify_name);
  if (named) named = tls::offer_alpn(ssl.get(), client.options().alpn);
  if (!named) co_return std::move(named).error();
  auto connection = std::make_unique<tls::Connection>();
  connection->sessions = generation.sessions;
  connection->session_key = (*socket)->remote().str();
  if (client.options().verify_name) connection->session_key += '|' + server_name;
  tls::offer_session(ssl.get(), *connection);
  auto stream =
      co_await tls::establish(std::move(*socket), std::move(connection), std::move(ssl), timeout);
  if (stream) {
    auto pinned = tls::check_pin(**stream, client.options().pin);
    if (!pinned) co_return std::move(pinned).error();
  }
  co_return stream;
}

}  // namespace convoy::net
