#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "security/ca/pem_identity.hpp"

namespace convoy::security {

/// A throw-away CA for server certificates, where the operator has none (`convoy up`, tests).
/// 10 years.
PemIdentity create_server_ca(std::string_view name, UnixTime now, Random&);

struct ServerNames {
  std::vector<std::string> dns;
  std::vector<std::string> ips;
};

/// A TLS server certificate below `ca`: leaf and CA. Errors "identity_invalid" (the CA cannot be
/// read or is none), "server_name_invalid" (no name, or one that is none).
Result<PemIdentity> issue_server(const PemIdentity& ca, const ServerNames&, UnixTime now,
                                 std::chrono::seconds lifetime, Random&);

}  // namespace convoy::security
