#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/up_site.hpp"

namespace convoy::cli {

/// Puts into the data folder what clients need: certs/, auth.json, clients/containerd,
/// clients/podman, clients/docker.
Status write_client_files(const UpPlan&);

/// Once the agent runs: clients/docker/ca.crt, what Docker must trust: the proxy's CA of this start
/// and that of the registry, whose token service it asks without the proxy when it is on loopback.
Status write_docker_trust(const UpPlan&);

/// What to paste, for each client. `mirror` is its bound address.
std::string client_commands(const UpPlan&, const std::string& mirror);

/// Quoted for a POSIX shell where needed.
std::string shell_word(const std::string&);

}  // namespace convoy::cli
