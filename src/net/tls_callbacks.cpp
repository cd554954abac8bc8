#include <algorithm>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_context.hpp"

namespace convoy::net::tls {
namespace {

/// A ticket must fit a few packets; with a longer chain only the leaf survives resumption.
constexpr std::size_t kMaxTicketChain = 12 * 1024;

Bytes der_of(X509* cert) {
  const int size = i2d_X509(cert, nullptr);
  if (size <= 0) return {};
  Bytes out(static_cast<std::size_t>(size));
  unsigned char* p = out.data();
  i2d_X509(cert, &p);
  return out;
}

Chain verified_chain(SSL* ssl) {
  Chain out;
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  const int n = chain == nullptr ? 0 : sk_X509_num(chain);
  // The last one is the anchor, which the peer need not have shown; alone it is the leaf too.
  for (int i = 0; i < std::max(n - 1, std::min(n, 1)); ++i) {
    out.push_back(der_of(sk_X509_value(chain, i)));
  }
  return out;
}

/// What an SSL_SESSION does not keep of the chain: all but the leaf.
Bytes pack_issuers(const Chain& chain) {
  Bytes out;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const Bytes& der = chain[i];
    const auto size = static_cast<std::uint32_t>(der.size());
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&size);
    out.insert(out.end(), raw, raw + sizeof size);
    out.insert(out.end(), der.begin(), der.end());
  }
  return out;
}

/// The whole chain of a resumed session; of issuers that are not whole none.
Chain unpack_issuers(Bytes leaf, ByteView data) {
  Chain out{std::move(leaf)};
  std::uint32_t size = 0;
  while (data.size() > sizeof size) {
    std::memcpy(&size, data.data(), sizeof size);
    data = data.subspan(sizeof size);
    if (size > data.size()) return {out.front()};
    out.push_back(to_bytes(data.first(size)));
    data = data.subspan(size);
  }
  return out;
}

/// Tickets are encrypted by this process's own key, so what is in them is ours.
int write_ticket(SSL* ssl, void*) {
  if (SSL_session_reused(ssl) == 1) return 1;
  const Bytes issuers = pack_issuers(verified_chain(ssl));
  if (issuers.empty() || issuers.size() > kMaxTicketChain) return 1;
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), issuers.data(), issuers.size());
}

/// OpenSSL does not look at the client's certificate again when a session is resumed.
bool may_resume(const SSL* ssl, SSL_SESSION* session) {
  const X509* peer = SSL_SESSION_get0_peer(session);
  const int mode = SSL_get_verify_mode(ssl);
  if (peer == nullptr) return (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) == 0;
  return (mode & SSL_VERIFY_PEER) != 0 && !expired(peer);
}

SSL_TICKET_RETURN read_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                              SSL_TICKET_STATUS status, void*) {
  const bool good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  if (!good || !may_resume(ssl, session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

bool choose_by_name(SSL* ssl, Connection& connection, std::string_view name) {
  const auto& options = connection.server->options();
  if (options.accept_server_name && !options.accept_server_name(name)) return false;
  if (!options.select) return true;
  connection.selected = options.select(name);
  if (!connection.selected) return true;
  const auto& other = static_cast<const ServerContext&>(*connection.selected);
  // The other context brings its trust anchors along with its certificate: keep ours.
  X509_STORE* roots = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  const Context identity = other.current();
  constexpr long kShare = 1;
  return SSL_set_SSL_CTX(ssl, identity.get()) != nullptr &&
         SSL_ctrl(ssl, SSL_CTRL_SET_VERIFY_CERT_STORE, kShare, roots) == 1;
}

int on_server_name(SSL* ssl, int* alert, void*) {
  Connection* connection = Connection::of(ssl);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  bool ok = false;
  try {
    ok = connection != nullptr &&
         choose_by_name(ssl, *connection, name == nullptr ? "" : std::string_view(name));
  } catch (...) {  // an exception must not cross OpenSSL's frames
  }
  if (ok) return SSL_TLSEXT_ERR_OK;
  if (connection != nullptr) connection->name_refused = true;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned int in_size, void*) {
  const Connection* connection = Connection::of(ssl);
  if (connection == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (const auto& ours : connection->server->options().alpn) {
    for (unsigned int at = 0; at < in_size; at += 1u + in[at]) {
      const std::string_view theirs(reinterpret_cast<const char*>(in + at + 1), in[at]);
      if (theirs != ours) continue;
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_NOACK;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  Connection* connection = Connection::of(ssl);
  if (connection == nullptr || !connection->sessions) return 0;
  if (SSL_SESSION_is_resumable(session) != 1) return 0;
  Chain chain = SSL_session_reused(ssl) == 1 ? connection->resumed_chain : verified_chain(ssl);
  connection->sessions->put(connection->session_key, Owned<SSL_SESSION>(session), std::move(chain));
  return 1;
}

}  // namespace

bool expired(const X509* cert) { return X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0; }

Connection* Connection::of(const SSL* ssl) {
  return static_cast<Connection*>(SSL_get_ex_data(ssl, 0));
}

void Connection::attach(SSL* ssl) { SSL_set_ex_data(ssl, 0, this); }

Chain peer_chain(SSL* ssl) {
  X509* leaf = SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return {};
  if (SSL_session_reused(ssl) != 1) return verified_chain(ssl);
  const Connection* connection = Connection::of(ssl);
  if (SSL_is_server(ssl) != 1) return connection->resumed_chain;
  void* data = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &size);
  return unpack_issuers(der_of(leaf), {static_cast<const std::uint8_t*>(data), size});
}

void install_server_callbacks(SSL_CTX* ctx, const TlsServerOptions& options) {
  SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(on_server_name));
  SSL_CTX_set_session_ticket_cb(ctx, write_ticket, read_ticket, nullptr);
  if (!options.alpn.empty()) SSL_CTX_set_alpn_select_cb(ctx, on_alpn, nullptr);
}

void install_client_callbacks(SSL_CTX* ctx) { SSL_CTX_sess_set_new_cb(ctx, on_new_session); }

void SessionCache::put(const std::string& key, Owned<SSL_SESSION> session, Chain chain) {
  const std::lock_guard lock(mutex_);
  if (const auto it = slots_.find(key); it != slots_.end()) {
    order_.erase(it->second.age);
    slots_.erase(it);
  }
  order_.push_back(key);
  slots_.emplace(key, Slot{Entry{std::move(session), std::move(chain)}, std::prev(order_.end())});
  if (slots_.size() <= kMax) return;
  slots_.erase(order_.front());
  order_.pop_front();
}

std::optional<SessionCache::Entry> SessionCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = slots_.find(key);
  if (it == slots_.end()) return std::nullopt;
  SSL_SESSION* session = it->second.entry.session.get();
  const X509* peer = SSL_SESSION_get0_peer(session);
  if (peer == nullptr || expired(peer)) {
    order_.erase(it->second.age);
    slots_.erase(it);
    return std::nullopt;
  }
  SSL_SESSION_up_ref(session);
  return Entry{Owned<SSL_SESSION>(session), it->second.entry.chain};
}

void SessionCache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = slots_.find(key);
  if (it == slots_.end()) return;
  order_.erase(it->second.age);
  slots_.erase(it);
}

}  // namespace convoy::net::tls
