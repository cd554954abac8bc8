#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace convoy::cli {

/// A server as its clients name it, and where it listens.
struct ServerPlace {
  std::string host;  ///< name or IP, without brackets
  std::uint16_t port = 0;
  std::vector<std::string> also;  ///< further names and IPs of its certificate
  std::string url() const;        ///< "https://host:port"
  std::string authority() const;  ///< "host:port", as in image names
};

struct PkiPlan {
  std::string folder;  ///< must not exist, or be empty
  std::string cluster;
  std::string trust_domain;
  ServerPlace registry;
  ServerPlace tracker;
};

/// Everything the first start of a cluster needs, sorted by the machine it belongs to:
///
///     offline/   the private keys of the three CAs: to be taken away
///     registry/  server, token and metadata keys, registry.toml, users
///     tracker/   server key, issuing CA, ticket signer, client key, tracker.toml, join-tokens.json
///     agent/     what an agent has to trust, agent.toml
///     README.txt what each file is
///
/// Private keys have mode 0600, folders 0700. The configurations work as they are, once a join
/// token stands in registry/join-token and agent/join-token.
/// Errors "folder_not_empty", "server_name_invalid", "spiffe_id_invalid", "file_write".
Status create_pki_folder(const PkiPlan&, const Clock&, Random&);

/// The text of README.txt.
std::string pki_readme(const PkiPlan&);

}  // namespace convoy::cli
