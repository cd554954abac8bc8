#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "net/stream.hpp"

namespace convoy::swarm {

/// Who is at the other end of a TLS connection.
struct PeerIdentity {
  std::string node;  ///< SPIFFE id
  bool origin = false;
  crypto::Certificate certificate;
};

/// From the certificate that TLS has verified. Errors: "peer_no_certificate",
/// "spiffe_id_invalid", "peer_wrong_cluster", "peer_wrong_kind" (only nodes and origins
/// exchange pieces).
Result<PeerIdentity> peer_identity(const net::TlsInfo&, std::string_view cluster);

/// The name in an own certificate chain. Error "tls_identity_invalid".
Result<std::string> own_identity(std::string_view chain_pem, std::string_view cluster);

}  // namespace convoy::swarm
