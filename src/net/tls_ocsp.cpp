#include "net/tls_ocsp.hpp"

#include <cstring>
#include <ctime>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

namespace convoy::net::tls {
namespace {

constexpr long kClockSkew = 300;  // seconds between the responder and us

struct FreeOcsp {
  void operator()(OCSP_REQUEST* p) const { OCSP_REQUEST_free(p); }
  void operator()(OCSP_RESPONSE* p) const { OCSP_RESPONSE_free(p); }
  void operator()(OCSP_BASICRESP* p) const { OCSP_BASICRESP_free(p); }
  void operator()(OCSP_CERTID* p) const { OCSP_CERTID_free(p); }
  void operator()(STACK_OF(OPENSSL_STRING) * p) const { X509_email_free(p); }
};
template <class T>
using OcspOwned = std::unique_ptr<T, FreeOcsp>;

/// The answer that a context's handshakes show. Handshakes may run in several threads.
class Staple {
 public:
  void put(ByteView der, UnixTime until) {
    auto fresh = std::make_shared<const Bytes>(to_bytes(der));
    const std::lock_guard lock(mutex_);
    der_ = std::move(fresh);
    until_ = until;
  }
  /// Null when there is none that still holds.
  std::shared_ptr<const Bytes> get() const {
    const std::lock_guard lock(mutex_);
    return SystemClock().wall() < until_ ? der_ : nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Bytes> der_;
  UnixTime until_{};
};

void free_staple(void*, void* staple, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Staple*>(staple);
}

int staple_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_staple);
  return kIndex;
}

Staple* staple_of(const SSL_CTX* ctx) {
  return static_cast<Staple*>(SSL_CTX_get_ex_data(ctx, staple_index()));
}

int on_status_request(SSL* ssl, void*) {
  const Staple* staple = staple_of(SSL_get_SSL_CTX(ssl));
  const auto der = staple == nullptr ? nullptr : staple->get();
  if (!der) return SSL_TLSEXT_ERR_NOACK;
  void* copy = OPENSSL_memdup(der->data(), der->size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(der->size()));
  return SSL_TLSEXT_ERR_OK;
}

struct Certified {
  X509* leaf = nullptr;
  X509* issuer = nullptr;  ///< null when the chain does not hold it
  STACK_OF(X509) * chain = nullptr;
};

Certified certified(SSL_CTX* ctx) {
  Certified out;
  out.leaf = SSL_CTX_get0_certificate(ctx);
  SSL_CTX_get0_chain_certs(ctx, &out.chain);
  for (int i = 0; i < sk_X509_num(out.chain); ++i) {
    X509* above = sk_X509_value(out.chain, i);
    if (X509_check_issued(above, out.leaf) != X509_V_OK) continue;
    out.issuer = above;
    break;
  }
  return out;
}

/// The first responder that speaks plain HTTP, "" for none.
std::string responder_of(X509* leaf) {
  const OcspOwned<STACK_OF(OPENSSL_STRING)> urls(X509_get1_ocsp(leaf));
  for (int i = 0; urls && i < sk_OPENSSL_STRING_num(urls.get()); ++i) {
    std::string url = sk_OPENSSL_STRING_value(urls.get(), i);
    if (url.starts_with("http://")) return url;
  }
  return {};
}

Error ocsp_invalid(std::string detail) {
  const std::string why = reason_text();
  ERR_clear_error();
  if (!why.empty()) detail += ": " + why;
  return unauthorized("ocsp_invalid", std::move(detail));
}

Result<OcspOwned<OCSP_BASICRESP>> read_answer(ByteView answer) {
  const unsigned char* at = answer.data();
  const OcspOwned<OCSP_RESPONSE> response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(answer.size())));
  if (!response || at != answer.data() + answer.size()) return ocsp_invalid("not an OCSP answer");
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return unavailable("ocsp_refused", OCSP_response_status_str(status));
  }
  OcspOwned<OCSP_BASICRESP> basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return ocsp_invalid("no basic answer");
  return basic;
}

/// By the issuer, or by whom it entrusted with that.
bool signed_for(OCSP_BASICRESP* basic, const Certified& certificates) {
  const Owned<X509_STORE> store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), certificates.issuer) != 1) return false;
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return OCSP_basic_verify(basic, certificates.chain, store.get(), OCSP_PARTIAL_CHAIN) == 1;
}

UnixTime unix_time(const ASN1_GENERALIZEDTIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return {};
  return UnixTime(std::chrono::seconds(::timegm(&tm)));
}

Result<OcspTimes> check_status(OCSP_BASICRESP* basic, const Certified& certificates) {
  const OcspOwned<OCSP_CERTID> id(OCSP_cert_to_id(nullptr, certificates.leaf, certificates.issuer));
  int status = -1;
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  if (!id ||
      OCSP_resp_find_status(basic, id.get(), &status, nullptr, nullptr, &from, &until) != 1) {
    return ocsp_invalid("about another certificate");
  }
  if (status != V_OCSP_CERTSTATUS_GOOD) return ocsp_invalid(OCSP_cert_status_str(status));
  if (until == nullptr) return ocsp_invalid("says not until when it holds");
  if (OCSP_check_validity(from, until, kClockSkew, -1) != 1) return ocsp_invalid("not fresh");
  const OcspTimes times{unix_time(from), unix_time(until)};
  // The skew is for clocks that are late, not for answers that have run out.
  if (times.until <= SystemClock().wall()) return ocsp_invalid("has run out");
  return times;
}

}  // namespace

bool install_stapling(SSL_CTX* ctx) {
  auto staple = std::make_unique<Staple>();
  if (SSL_CTX_set_ex_data(ctx, staple_index(), staple.get()) != 1) return false;
  static_cast<void>(staple.release());  // goes with the context
  SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB,
                        reinterpret_cast<void (*)()>(on_status_request));
  return true;
}

std::optional<OcspQuery> make_ocsp_query(SSL_CTX* ctx) {
  const Certified certificates = certified(ctx);
  if (certificates.issuer == nullptr) return std::nullopt;
  OcspQuery out{responder_of(certificates.leaf), {}};
  if (out.url.empty()) return std::nullopt;
  const OcspOwned<OCSP_REQUEST> request(OCSP_REQUEST_new());
  // SHA-1 only names the certificate here; it is what every responder knows (RFC 5019 2.1.1).
  OCSP_CERTID* id = OCSP_cert_to_id(nullptr, certificates.leaf, certificates.issuer);
  if (!request || id == nullptr || OCSP_request_add0_id(request.get(), id) == nullptr) {
    OCSP_CERTID_free(id);
    return std::nullopt;
  }
  const int size = i2d_OCSP_REQUEST(request.get(), nullptr);
  if (size <= 0) return std::nullopt;
  out.body.resize(static_cast<std::size_t>(size));
  unsigned char* at = out.body.data();
  i2d_OCSP_REQUEST(request.get(), &at);
  return out;
}

Result<OcspTimes> staple_answer(SSL_CTX* ctx, ByteView answer) {
  ERR_clear_error();
  const Certified certificates = certified(ctx);
  if (certificates.issuer == nullptr) return ocsp_invalid("the chain lacks the issuer");
  auto basic = read_answer(answer);
  if (!basic) return std::move(basic).error();
  if (!signed_for(basic->get(), certificates)) return ocsp_invalid("signature");
  auto times = check_status(basic->get(), certificates);
  if (times) staple_of(ctx)->put(answer, times->until);
  return times;
}

}  // namespace convoy::net::tls
