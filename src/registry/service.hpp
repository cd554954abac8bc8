#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/certificate.hpp"
#include "crypto/jws.hpp"
#include "net/http_server.hpp"
#include "net/metrics.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/load.hpp"
#include "registry/core/projects.hpp"
#include "registry/core/request_rate.hpp"
#include "registry/core/upkeep_options.hpp"
#include "registry/events/webhook_options.hpp"
#include "wire/bt/zone.hpp"
#include "wire/http/message.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy::security {
class AuditLog;
class UserDirectory;
}  // namespace convoy::security

namespace convoy::registry {

/// One cluster this registry seeds for (docs/protocols/registry-internal.md).
struct ClusterOptions {
  std::string name;
  std::string trust_domain;
  std::string roots_pem;      ///< cluster root certificates: who may use the internal API
  std::string registry_host;  ///< this registry as image references (and the tracker) name it

  /// Without a tracker URL the registry answers trackers but seeds nothing for this cluster.
  std::optional<http::Url> tracker;
  std::string
      tracker_roots_pem;  ///< trust in the tracker's certificate; empty: the machine's store
  Secret join_token;      ///< kind `origin`; only read while no certificate is in `state_dir`
  std::string node_name = "origin";
  std::string state_dir;  ///< key and certificate; empty: <data_dir>/origin/<name>
  net::Endpoint peers;    ///< where peers dial the origin seeder; port 0 takes a free one
  std::uint16_t advertised_port = 0;   ///< told to the tracker; 0: the port listened on
  std::optional<std::string> bind_ip;  ///< local address of connections to the tracker
  bt::Zone zone{};                     ///< where the origin seeder stands
};

struct RegistryLimits {
  std::size_t manifest_bytes = 4 * 1024 * 1024;
  std::size_t header_bytes = 32 * 1024;
  std::uint64_t blob_bytes = 64ULL * 1024 * 1024 * 1024;  ///< one upload
  std::size_t uploads_per_user = 1000;                    ///< in progress at once
  Duration header_timeout = std::chrono::seconds(5);      ///< a request's head, and a handshake
  Duration upload_idle = std::chrono::seconds(60);        ///< no byte inside a body, either way
  std::uint64_t upload_min_rate = 1024;                   ///< bytes/s of a request's body; 0: any
  Duration upload_min_rate_span = std::chrono::seconds(30);  ///< over which it is judged
  Duration upload_lifetime = std::chrono::hours(24);  ///< then an unfinished upload is removed
  Duration upload_abandoned = std::chrono::hours(2);  ///< the same after so long without a request
  std::size_t page_default = 100;                     ///< tags and catalog
  std::size_t page_max = 1000;
  std::size_t max_connections = 10'000;
  std::size_t connections_per_address = 1000;  ///< 0: any number
  RateLimit address_requests;                  ///< of one IPv4 address or IPv6 /64
  RateLimit user_requests;
};

struct RegistryOptions {
  std::string data_dir;                 ///< blobs/, uploads/, meta.db, origin/
  net::Endpoint listen;                 ///< port 0 takes a free one
  std::optional<net::TlsIdentity> tls;  ///< none: plain HTTP (behind a TLS proxy, or tests)
  bool kernel_tls = true;               ///< to clients and to peers of the origin
  std::optional<std::string>
      public_url;  ///< for the token realm; none: scheme and Host of the request

  std::optional<crypto::Signer> token_signer;  ///< needed
  std::vector<crypto::Certificate>
      token_roots;  ///< the token CA; none: the last of the signer's chain
  std::optional<crypto::Signer> metadata_signer;  ///< needed
  std::string issuer = "convoy";
  std::string service = "convoy-registry";   ///< the audience of tokens
  std::chrono::seconds token_lifetime{300};  ///< at least 60
  std::shared_ptr<const security::UserDirectory> users;

  std::vector<ClusterOptions> clusters;
  std::uint64_t egress_rate =
      0;  ///< bytes/s of HTTP answers and origin uploads together; 0: no limit
  bool allow_delete = false;
  oci::MayMiss may_miss = oci::MayMiss::nothing;  ///< of a manifest when it is pushed
  RegistryLimits limits;
  LoadLimits load;  ///< memory 0: the control group's limit, if it has one
  UpkeepOptions upkeep;
  std::vector<Project> projects;
  std::vector<WebhookOptions> webhooks;
};

/// The registry role: distribution API, token service, internal API, one origin seeder for each
/// cluster. Runs on one executor (one thread); blocking work goes to the pool. `clock`, `random`,
/// `audit` and the pool must outlive it.
class RegistryService {
 public:
  virtual ~RegistryService() = default;
  /// Opens the stores, checks keys. Errors name the option at fault.
  static Result<std::unique_ptr<RegistryService>> make(net::Executor, net::WorkerPool&,
                                                       RegistryOptions, const Clock&, Random&,
                                                       security::AuditLog&,
                                                       std::shared_ptr<net::Metrics>, Logger);
  /// Listens; enrolment with trackers goes on in the background. Error "listen_failed".
  virtual Result<net::Endpoint> start() = 0;
  /// Nothing when it can serve; a tracker that cannot be reached is no reason.
  virtual std::optional<std::string> not_ready() const = 0;
  virtual net::Task<void> stop(Duration grace) = 0;

  /// Serves /convoy/v1/admin/ for the operations listener (docs/protocols/registry-admin.md) to who
  /// shows the token of <data_dir>/admin.json.
  virtual net::Task<void> administrate(net::HttpExchange&) = 0;
  /// Writes that file (mode 0600) with a token made at this start, for commands on this machine.
  virtual Status publish_admin(const net::Endpoint& ops) = 0;

  /// Where peers of that cluster reach the origin seeder; nothing before it runs.
  virtual std::optional<net::Endpoint> origin_endpoint(const std::string& cluster) const = 0;
  virtual Status replace_tls(net::TlsIdentity) = 0;
  /// Of the webhooks with the same names. Error "option_invalid": none was replaced.
  virtual Status replace_webhook_secrets(const std::vector<WebhookOptions>&) = 0;
  virtual void replace_users(std::shared_ptr<const security::UserDirectory>) = 0;
  /// RegistryOptions::egress_rate, from now on.
  virtual void replace_egress_rate(std::uint64_t) = 0;
};

}  // namespace convoy::registry
