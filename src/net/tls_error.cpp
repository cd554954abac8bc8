#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

namespace convoy::net::tls {
namespace {

struct Failure {
  int reason = 0;
  std::string text;
};

Failure newest() {
  const unsigned long code = ERR_peek_last_error();
  Failure out{ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0, reason_text()};
  ERR_clear_error();
  return out;
}

/// The alert the peer sent, if this is one: OpenSSL counts them from SSL_AD_REASON_OFFSET.
int alert_of(int reason) {
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
             ? reason - SSL_AD_REASON_OFFSET
             : -1;
}

bool about_certificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

std::string system_text(int errno_value) {
  return errno_value == 0 ? "the peer closed the connection" : std::strerror(errno_value);
}

}  // namespace

Error stream_error(int outcome, int errno_value) {
  if (outcome == SSL_ERROR_SYSCALL) {
    ERR_clear_error();
    if (errno_value == 0) return unavailable("stream_truncated", "no close_notify");
    return socket_error(errno_value);
  }
  Failure failure = newest();
  if (failure.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return unavailable("stream_truncated", "no close_notify");
  }
  const int alert = alert_of(failure.reason);
  if (about_certificate(alert)) return unauthorized("tls_alert", std::move(failure.text));
  if (alert >= 0) return unavailable("tls_alert", std::move(failure.text));
  return unavailable("stream_failed", std::move(failure.text));
}

Error handshake_error(const SSL* ssl, int outcome, int errno_value) {
  if (outcome == SSL_ERROR_SYSCALL) {
    ERR_clear_error();
    return unavailable("tls_handshake", system_text(errno_value));
  }
  Failure failure = newest();
  const Connection* connection = Connection::of(ssl);
  if (connection != nullptr && connection->name_refused) {
    return invalid("tls_handshake", "server name refused");
  }
  const long verify = SSL_get_verify_result(ssl);
  if (verify != X509_V_OK) {
    return unauthorized("tls_handshake", X509_verify_cert_error_string(verify));
  }
  if (failure.reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
      about_certificate(alert_of(failure.reason))) {
    return unauthorized("tls_handshake", std::move(failure.text));
  }
  if (failure.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return unavailable("tls_handshake", system_text(0));
  }
  return invalid("tls_handshake", std::move(failure.text));
}

}  // namespace convoy::net::tls
