#pragma once

#include <chrono>
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
#include "net/metrics.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/audit.hpp"
#include "wire/http/message.hpp"

namespace convoy::tracker {

/// A registry whose blobs the cluster distributes.
struct TrackerRegistry {
  std::string host;             ///< as in image references, "registry.example:5000"
  http::Url base;               ///< where the tracker reaches it
  std::string tls_roots_pem;    ///< trust in its server certificate; empty: the machine's store
  std::string token_roots_pem;  ///< its token CA; empty: every credential is decided by asking it
  std::string metadata_roots_pem;  ///< trust in its metadata statements; empty: token_roots_pem
  std::string issuer;              ///< `iss` of its tokens and metadata statements
  std::string audience;            ///< `aud` of its tokens
  std::string origin_name;         ///< the only origin node believed for it; empty: any node of
                                   ///< kind origin (fit for clusters with one registry)
};

struct TrackerLimits {
  std::size_t max_swarms = 100'000;
  std::size_t max_peers_per_swarm = 20'000;
  std::size_t max_grants = 1'000'000;
  std::size_t max_body_bytes = 64 * 1024;
  std::size_t max_connections = 20'000;
  /// 0: any number. All nodes behind one NAT, or in one IPv6 /64, have one address.
  std::size_t connections_per_address = 5'000;
  /// No body may stand still for so long, nor come slower than 1 KiB/s over it.
  Duration body_span = std::chrono::seconds(10);
  std::size_t max_registry_calls = 256;  ///< under way at once; further ones are refused with 503
  double node_calls_per_second = 100;    ///< of one node, in the long run
  double node_call_burst = 1000;         ///< an image of many layers asked for at once
};

struct TrackerOptions {
  net::Endpoint listen;
  net::TlsIdentity server;  ///< what clients see
  std::string cluster;
  std::string trust_domain;
  std::string root_pem;          ///< the cluster's root certificate
  std::string issuing_cert_pem;  ///< the CA that issues node certificates, below the root
  Secret issuing_key_pem;
  std::string ticket_chain_pem;  ///< ticket signer, leaf first, up to below the root
  Secret ticket_key_pem;
  net::TlsIdentity client;      ///< toward registries: spiffe://<td>/cluster/<c>/tracker/<name>;
                                ///< its URI name is the issuer of tickets
  std::string join_token_file;  ///< shared with `convoy node`, as is the list of revoked nodes
  std::chrono::seconds node_lifetime{std::chrono::hours(24)};
  std::chrono::seconds ticket_lifetime{600};
  std::vector<TrackerRegistry> registries;
  std::chrono::seconds announce_interval{30};
  std::uint32_t degree = 10;  ///< of the graph peers are handed out by
  std::chrono::seconds registry_timeout{10};
  std::chrono::milliseconds sweep{5000};  ///< how often the revoked nodes are read
  TrackerLimits limits;
};

/// The tracker role: enrolment and node certificates, tickets, the peer table
/// (docs/protocols/tracker-api.md). Everything but join tokens and revoked nodes is soft state in
/// memory: after a restart agents ask for tickets again. One thread: that of the executor.
class TrackerService {
 public:
  /// Checks all keys and certificates against each other. Errors (invalid): "tracker_…" with
  /// what is wrong in the detail. What comes in by reference must outlive the service.
  static Result<std::unique_ptr<TrackerService>> make(net::Executor, net::WorkerPool&,
                                                      TrackerOptions, const Clock&, Random&,
                                                      security::AuditLog&,
                                                      std::shared_ptr<net::Metrics>, Logger);
  ~TrackerService();

  /// Listens and serves; the bound endpoint. Error "listen_failed".
  Result<net::Endpoint> start();
  /// Nothing when ready, else why not.
  std::optional<std::string> not_ready() const;
  /// Rotation while serving; handshakes under way keep the old one.
  Status replace_server_identity(net::TlsIdentity);
  Status replace_client_identity(net::TlsIdentity);
  /// Requests under way may finish for up to `grace`. Call once, before destruction, if started.
  net::Task<void> stop(Duration grace);

 private:
  struct Impl;
  explicit TrackerService(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::tracker
