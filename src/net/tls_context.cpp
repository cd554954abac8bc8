#include "net/tls_context.hpp"

#include <array>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <utility>

#include "net/tls_kernel.hpp"
#include "net/tls_ocsp.hpp"

namespace convoy::net::tls {
namespace {

constexpr const char* kSuites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
/// Several records for each system call.
constexpr std::size_t kReadAhead = 68 * 1024;
constexpr int kMaxChain = 16;
constexpr int kMaxRoots = 4096;
constexpr long kSessionSeconds = 3600;

int no_passphrase(char*, int, int, void*) { return -1; }

Owned<BIO> memory(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Every certificate of the text, or none if one of them is malformed.
std::vector<Owned<X509>> certificates(std::string_view pem, int limit) {
  std::vector<Owned<X509>> out;
  const auto bio = memory(pem);
  ERR_clear_error();
  while (X509* cert = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    out.emplace_back(cert);
    // OpenSSL notes the extensions down at first use, which would be in several threads.
    X509_check_purpose(cert, -1, 0);
    if (std::cmp_greater(out.size(), limit)) return {};
  }
  const unsigned long why = ERR_peek_last_error();
  ERR_clear_error();
  const bool at_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  if (!at_end) out.clear();
  return out;
}

Error identity_invalid(std::string_view what) {
  std::string detail(what);
  const std::string why = reason_text();
  if (!why.empty()) detail += ": " + why;
  return invalid("tls_identity_invalid", std::move(detail));
}

Status use_identity(SSL_CTX* ctx, const TlsIdentity& identity) {
  const auto chain = certificates(identity.chain_pem, kMaxChain);
  if (chain.empty()) return identity_invalid("no certificate chain");
  const auto bio = memory(identity.key_pem.reveal());
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return identity_invalid("no private key");
  if (SSL_CTX_use_certificate(ctx, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
    return identity_invalid("certificate and key");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(ctx, chain[i].get()) != 1) return identity_invalid("chain");
  }
  return {};
}

Status use_roots(SSL_CTX* ctx, std::string_view pem, bool announce) {
  const auto roots = certificates(pem, kMaxRoots);
  if (roots.empty()) return invalid("tls_roots_invalid", "no trust anchor in the PEM text");
  Owned<X509_STORE> store(X509_STORE_new());
  for (const auto& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) {
      return invalid("tls_roots_invalid", reason_text());
    }
    // A client with several certificates chooses by these names.
    if (announce) SSL_CTX_add_client_CA(ctx, root.get());
  }
  SSL_CTX_set_cert_store(ctx, store.release());
  return {};
}

Result<Context> base_context(const SSL_METHOD* method, bool tls13_only, bool kernel_sends) {
  Context ctx(SSL_CTX_new(method), SSL_CTX_free);
  if (!ctx) return internal_error("tls_context", reason_text());
  SSL_CTX* c = ctx.get();
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  if (kernel_sends && kernel_has_tls()) SSL_CTX_set_options(c, SSL_OP_ENABLE_KTLS);
  SSL_CTX_set_read_ahead(c, 1);
  SSL_CTX_set_default_read_buffer_len(c, kReadAhead);
  SSL_CTX_set_timeout(c, kSessionSeconds);
  SSL_CTX_set_verify_depth(c, kMaxChain);
  const bool ok =
      SSL_CTX_set_min_proto_version(c, tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(c, kSuites13) == 1 && SSL_CTX_set_cipher_list(c, kCiphers12) == 1 &&
      SSL_CTX_set1_groups_list(c, kGroups) == 1;
  if (!ok) return internal_error("tls_context", reason_text());
  return ctx;
}

int verify_mode(PeerCertificate want) {
  switch (want) {
    case PeerCertificate::none:
      return SSL_VERIFY_NONE;
    case PeerCertificate::optional:
      return SSL_VERIFY_PEER;
    case PeerCertificate::required:
      break;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

}  // namespace

std::string reason_text() {
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return {};
  const char* text = ERR_reason_error_string(code);
  if (text != nullptr) return text;
  std::array<char, 128> buffer{};
  ERR_error_string_n(code, buffer.data(), buffer.size());
  return buffer.data();
}

Result<Context> make_server_context(const TlsServerOptions& options, const TlsIdentity& identity) {
  auto made = base_context(TLS_server_method(), options.tls13_only, options.kernel_sends);
  if (!made) return made;
  SSL_CTX* ctx = made->get();
  if (auto used = use_identity(ctx, identity); !used) return std::move(used).error();
  if (options.client_certificate != PeerCertificate::none) {
    auto used = use_roots(ctx, options.client_roots_pem, true);
    if (!used) return std::move(used).error();
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
  }
  SSL_CTX_set_verify(ctx, verify_mode(options.client_certificate), nullptr);
  // Sessions live in tickets alone. Without a context id OpenSSL refuses to resume where client
  // certificates are asked for.
  static constexpr unsigned char kId[] = "convoy";
  SSL_CTX_set_session_id_context(ctx, kId, sizeof kId - 1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 1);
  install_server_callbacks(ctx, options);
  if (!install_stapling(ctx)) return internal_error("tls_context", reason_text());
  return made;
}

Result<Context> make_client_context(const TlsClientOptions& options,
                                    const std::optional<TlsIdentity>& identity) {
  auto made = base_context(TLS_client_method(), options.tls13_only, options.kernel_sends);
  if (!made) return made;
  SSL_CTX* ctx = made->get();
  if (identity) {
    if (auto used = use_identity(ctx, *identity); !used) return std::move(used).error();
  }
  if (options.roots_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) {
      return invalid("tls_roots_invalid", reason_text());
    }
  } else if (auto used = use_roots(ctx, options.roots_pem, false); !used) {
    return std::move(used).error();
  }
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  install_client_callbacks(ctx);
  return made;
}

ServerContext::ServerContext(TlsServerOptions options) : options_(std::move(options)) {}

Status ServerContext::replace_identity(TlsIdentity identity) {
  auto made = make_server_context(options_, identity);
  if (!made) return std::move(made).error();
  const std::lock_guard lock(mutex_);
  context_ = std::move(*made);
  return {};
}

Context ServerContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

std::optional<OcspQuery> ServerContext::ocsp_query() const {
  return make_ocsp_query(current().get());
}

Result<OcspTimes> ServerContext::staple(ByteView answer) {
  const Context context = current();
  return staple_answer(context.get(), answer);
}

ClientContext::ClientContext(TlsClientOptions options) : options_(std::move(options)) {}

Status ClientContext::replace_identity(std::optional<TlsIdentity> identity) {
  auto made = make_client_context(options_, identity);
  if (!made) return std::move(made).error();
  const std::lock_guard lock(mutex_);
  generation_ = {std::move(*made), std::make_shared<SessionCache>(), generation_.number + 1};
  return {};
}

ClientContext::Generation ClientContext::current() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

}  // namespace convoy::net::tls

namespace convoy::net {

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::make(TlsServerOptions options) {
  TlsIdentity identity = std::exchange(options.identity, {});
  auto context = std::make_shared<tls::ServerContext>(std::move(options));
  if (auto set = context->replace_identity(std::move(identity)); !set) {
    return std::move(set).error();
  }
  return std::shared_ptr<TlsServerContext>(std::move(context));
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::make(TlsClientOptions options) {
  std::optional<TlsIdentity> identity = std::exchange(options.identity, std::nullopt);
  auto context = std::make_shared<tls::ClientContext>(std::move(options));
  if (auto set = context->replace_identity(std::move(identity)); !set) {
    return std::move(set).error();
  }
  return std::shared_ptr<TlsClientContext>(std::move(context));
}

}  // namespace convoy::net
