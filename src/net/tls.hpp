#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/stream.hpp"

namespace convoy::net {

/// A certificate chain (PEM, leaf first) and its private key (PEM).
struct TlsIdentity {
  std::string chain_pem;
  Secret key_pem;
};

enum class PeerCertificate : std::uint8_t { none, optional, required };

struct TlsServerOptions {
  TlsIdentity identity;
  PeerCertificate client_certificate = PeerCertificate::none;
  std::string client_roots_pem;  ///< needed unless `none`; chains are checked strictly by
                                 ///< RFC 5280: CAs need basicConstraints and keyUsage
  bool tls13_only = false;       ///< else 1.2 and up
  /// Called with the SNI ("" when none) during the handshake; false refuses it with
  /// unrecognized_name. Null accepts each.
  std::function<bool(std::string_view)> accept_server_name;
  /// Picks the identity of another context for this SNI; null keeps `identity`. All else
  /// (client certificates, versions) stays that of this context.
  std::function<std::shared_ptr<class TlsServerContext>(std::string_view)> select;
  std::vector<std::string> alpn;  ///< offered protocols, empty for none
  /// What is sent is encrypted by the kernel (kTLS) where it can, else by the process. Saves
  /// copies, and a file goes out by sendfile(2); but each connection pays for handing the keys
  /// over: for those that send bulk. A peer that asks for new keys of ours (RFC 8446 4.6.3,
  /// update_requested) then gets nothing more, as the kernel has no way to change them.
  bool kernel_sends = false;
};

struct TlsClientOptions {
  std::optional<TlsIdentity> identity;
  std::string roots_pem;  ///< trust anchors; empty: the machine's own store
  bool tls13_only = false;
  /// Check the server's name against the certificate. Off only for peers, whose identity is
  /// their SPIFFE id, checked by the caller.
  bool verify_name = true;
  /// SHA-256 of the one certificate the server may show, on top of the chain's verification.
  std::optional<Hash256> pin{};
  std::vector<std::string> alpn;  ///< offered protocols, empty for none
  bool kernel_sends = false;      ///< as for a server
};

/// What to ask an OCSP responder (RFC 6960) about a certificate: POST `body` to `url`.
struct OcspQuery {
  std::string url;
  Bytes body;
};

/// From when on and until when an OCSP answer holds.
struct OcspTimes {
  UnixTime from{};
  UnixTime until{};
};

/// Server side of TLS: certificates, trust, session tickets. The identity can be replaced while
/// it serves (rotation); handshakes under way keep the old one. Safe from any thread.
class TlsServerContext {
 public:
  virtual ~TlsServerContext() = default;
  /// Errors "tls_identity_invalid", "tls_roots_invalid".
  static Result<std::shared_ptr<TlsServerContext>> make(TlsServerOptions);
  /// Drops the staple of the old one.
  virtual Status replace_identity(TlsIdentity) = 0;

  /// About the identity in use; nothing when its certificate names no responder that speaks plain
  /// HTTP, or its chain lacks the issuer.
  virtual std::optional<OcspQuery> ocsp_query() const = 0;
  /// From now on shows this answer to clients that ask for one (RFC 6066 8), until it runs out. It
  /// must be signed for the issuer, fresh, and say that the certificate in use is good; else the
  /// one before is kept. Errors "ocsp_invalid" (unauthorized), "ocsp_refused" (unavailable: the
  /// responder has no answer).
  virtual Result<OcspTimes> staple(ByteView answer) = 0;
};

/// Client side of TLS; keeps sessions for resumption by host and port, and by server name where
/// that is verified. Elsewhere the name says nothing of who the server is, so a session serves all
/// names, though RFC 8446 4.6.1 advises to resume with the same one.
class TlsClientContext {
 public:
  virtual ~TlsClientContext() = default;
  static Result<std::shared_ptr<TlsClientContext>> make(TlsClientOptions);
  virtual Status replace_identity(std::optional<TlsIdentity>) = 0;  ///< forgets sessions, too
  /// Counts the identities. An HttpClient sends nothing on a connection of an earlier one.
  virtual std::uint64_t generation() const = 0;
};

/// Handshakes on a plain stream of this library, which is used up. Errors: "tls_handshake"
/// (unauthorized when a certificate is the reason, with OpenSSL's words in the detail;
/// unavailable when the peer broke off; else invalid), "stream_idle" after `timeout`.
/// In TLS 1.3 a client learns only from its first read that its certificate was refused:
/// "tls_alert". A resumed session counts as verified as long as the peer's certificate has not
/// run out; replacing the identity forgets all sessions.
Task<Result<StreamPtr>> tls_accept(StreamPtr plain, std::shared_ptr<TlsServerContext>,
                                   Duration timeout);
Task<Result<StreamPtr>> tls_connect(StreamPtr plain, std::shared_ptr<TlsClientContext>,
                                    std::string server_name, Duration timeout);

}  // namespace convoy::net
