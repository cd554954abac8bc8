#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "security/ca/pem_identity.hpp"

namespace convoy::security {

/// The keys of a registry: a CA of its own and below it one signer for each purpose.
struct RegistryPki {
  PemIdentity token_ca;         ///< the CA certificate alone, 10 years
  PemIdentity token_signer;     ///< leaf and CA, 1 year
  PemIdentity metadata_signer;  ///< leaf and CA, 1 year
};

/// `name` goes into the certificates' subjects, at most 32 characters of it.
RegistryPki create_registry_pki(std::string_view name, UnixTime now, Random&);

}  // namespace convoy::security
