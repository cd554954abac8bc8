#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/tls.hpp"
#include "registry/core/admission.hpp"
#include "registry/core/metadata_service.hpp"
#include "registry/service.hpp"
#include "security/token/registry_token.hpp"

// What a registry's parts are made from, out of its options. Errors are "option_invalid" and name
// the option at fault.
namespace convoy::registry {

Status check_options(const RegistryOptions&);
/// A registry whose own tokens or statements nobody accepts should not start.
Status check_signers(const RegistryOptions&, const Clock&, Random&);

security::RegistryTokenVerifier make_verifier(const RegistryOptions&, const Clock&);
Admission::Limits admission_limits(const RegistryOptions&);
/// Exact enough for the shortest time that anything is kept for.
Duration pull_turn(const RegistryOptions&);
Result<std::vector<ClusterTrust>> cluster_trust(const RegistryOptions&);
/// As CloudEvents want it, a URI reference.
std::string event_source(const RegistryOptions&);
/// Null without TLS.
Result<std::shared_ptr<net::TlsServerContext>> make_tls(const RegistryOptions&);

}  // namespace convoy::registry
