#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "clients/registry/registry_client.hpp"
#include "clients/tracker/tracker_client.hpp"
#include "net/tls.hpp"
#include "security/token/metadata_statement.hpp"
#include "security/token/registry_token.hpp"
#include "tracker/service.hpp"

namespace convoy::tracker {

/// A configured registry: trust in what it signs, and how it is asked.
struct Registry {
  std::string host;
  std::string issuer;
  std::string origin_name;
  std::string metadata_roots_pem;
  std::optional<security::RegistryTokenVerifier> tokens;  ///< none: ask for every credential
  security::MetadataVerifier statements;
  std::unique_ptr<clients::RegistryClient> blobs;  ///< without the tracker's own certificate
  std::unique_ptr<clients::RegistryMetadataClient> metadata;  ///< with it
  std::shared_ptr<net::TlsClientContext> metadata_tls;
};

class Registries {
 public:
  /// Error (invalid) "tracker_registry_invalid" names the registry and the fault.
  static Result<Registries> make(net::Executor, const std::vector<TrackerRegistry>&,
                                 const net::TlsIdentity& client, const Clock&);

  /// Null when it is not configured.
  const Registry* find(const std::string& host) const;
  Status replace_identity(const net::TlsIdentity& client);
  /// What nodes are told when they enrol.
  std::vector<clients::RegistryTrust> trust() const;

 private:
  std::map<std::string, std::unique_ptr<Registry>> by_host_;
};

}  // namespace convoy::tracker
