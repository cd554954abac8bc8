#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <openssl/ssl.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/tls.hpp"

namespace convoy::net::tls {

struct Free {
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
using Context = std::shared_ptr<SSL_CTX>;
using Chain = std::vector<Bytes>;

/// A client's sessions, one for each (address, server name), least recently stored thrown out.
/// A cache belongs to one identity: a session presents the certificate it was made with.
class SessionCache {
 public:
  static constexpr std::size_t kMax = 1024;

  struct Entry {
    Owned<SSL_SESSION> session;
    Chain chain;  ///< the verified one, which a resumed handshake no longer shows
  };
  void put(const std::string& key, Owned<SSL_SESSION>, Chain);
  /// A session that may still be used; the server's certificate is still valid.
  std::optional<Entry> find(const std::string& key);
  void forget(const std::string& key);

 private:
  struct Slot {
    Entry entry;
    std::list<std::string>::iterator age;
  };
  std::mutex mutex_;
  std::list<std::string> order_;
  std::unordered_map<std::string, Slot> slots_;
};

class ServerContext final : public TlsServerContext {
 public:
  explicit ServerContext(TlsServerOptions);
  Status replace_identity(TlsIdentity) override;
  std::optional<OcspQuery> ocsp_query() const override;
  Result<OcspTimes> staple(ByteView answer) override;

  Context current() const;
  const TlsServerOptions& options() const { return options_; }

 private:
  const TlsServerOptions options_;  ///< without the identity
  mutable std::mutex mutex_;
  Context context_;
};

class ClientContext final : public TlsClientContext {
 public:
  struct Generation {
    Context context;
    std::shared_ptr<SessionCache> sessions;
    std::uint64_t number = 0;
  };

  explicit ClientContext(TlsClientOptions);
  Status replace_identity(std::optional<TlsIdentity>) override;
  std::uint64_t generation() const override { return current().number; }

  Generation current() const;
  const TlsClientOptions& options() const { return options_; }

 private:
  const TlsClientOptions options_;  ///< without the identity
  mutable std::mutex mutex_;
  Generation generation_;
};

/// What the callbacks need to know of the connection they are called for. Lives as long as
/// its SSL and is found through it.
struct Connection {
  std::shared_ptr<ServerContext> server;
  std::shared_ptr<TlsServerContext> selected;
  bool name_refused = false;

  std::shared_ptr<SessionCache> sessions;
  std::string session_key;
  Chain resumed_chain;

  static Connection* of(const SSL* ssl);
  void attach(SSL* ssl);
};

Result<Context> make_server_context(const TlsServerOptions&, const TlsIdentity&);
Result<Context> make_client_context(const TlsClientOptions&, const std::optional<TlsIdentity>&);

/// The chain that verified, leaf first, without the trust anchor. Of a resumed server
/// connection: the one that stands in the ticket. Empty when the peer showed no certificate.
Chain peer_chain(SSL*);
bool expired(const X509*);
/// The newest failure of OpenSSL's queue in words, "" when there is none.
std::string reason_text();

// Callbacks of the server's contexts; see tls_callbacks.cpp.
void install_server_callbacks(SSL_CTX*, const TlsServerOptions&);
void install_client_callbacks(SSL_CTX*);

}  // namespace convoy::net::tls
