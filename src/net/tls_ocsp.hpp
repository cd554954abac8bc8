#pragma once

#include <optional>

#include "net/tls_context.hpp"

namespace convoy::net::tls {

/// Gives the context room for one OCSP answer about its certificate, which goes with it.
bool install_stapling(SSL_CTX*);
/// See TlsServerContext.
std::optional<OcspQuery> make_ocsp_query(SSL_CTX*);
Result<OcspTimes> staple_answer(SSL_CTX*, ByteView answer);

}  // namespace convoy::net::tls
