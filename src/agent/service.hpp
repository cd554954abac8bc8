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
#include "net/http_server.hpp"
#include "net/metrics.hpp"
#include "net/task.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "net/worker_pool.hpp"
#include "wire/bt/zone.hpp"

namespace convoy::security {
class AuditLog;
}

namespace convoy::agent {

/// Somebody who may use the mirror or the proxy (basic authentication).
struct AgentUser {
  std::string user;
  std::string password_hash;  ///< argon2id or bcrypt, as crypto::acceptable_hash() takes them
};

/// A registry whose pulls go through the agent; all others are none of its business.
struct AgentRegistry {
  std::string host;       ///< as in image references: "registry.example:5000", "docker.io"
  std::string base_url;   ///< where it is really reached: "https://registry.example:5000"
  std::string roots_pem;  ///< trust anchors of its certificate; empty: the machine's own
  std::string user;       ///< the node's own credential, for mirror requests without one; "" = none
  Secret password;
  std::vector<std::string> token_hosts;  ///< further hosts its token realm may be on
  bool is_default = false;               ///< meant when a mirror request has no ns=; at most one
  bool allow_http = false;  ///< lets base_url be http:, for a registry on the same machine
};

/// Limits in bytes per second; 0: none. They count the bytes of blobs.
struct AgentRates {
  std::uint64_t upload = 0;           ///< to all peers together
  std::uint64_t upload_per_peer = 0;  ///< to any one of them
  /// To peers, of blobs that nobody here has read for half a minute, while a client waits for
  /// another one.
  std::uint64_t upload_background = 0;
  std::uint64_t download = 0;  ///< from peers and registries together
  std::uint64_t origin = 0;    ///< from registries: straight, and from their origin seeders
  bool operator==(const AgentRates&) const = default;
};

/// Everything `convoy agent` needs. Plain values; files were read by whoever fills it.
struct AgentOptions {
  std::string data_dir;   ///< node key, certificate, cache, proxy-ca.pem; made with mode 0700
  std::string node_name;  ///< asked for at enrolment
  bt::Zone zone;

  std::string tracker_url;        ///< "https://tracker.example:5443"
  std::string tracker_roots_pem;  ///< trust anchors of its certificate; empty: the machine's own
  std::string tracker_pin;        ///< SHA-256 of its certificate in hex; empty: not pinned
  Secret join_token;              ///< used once; may be empty when the node is enrolled already

  bool mirror_enabled = true;
  net::Endpoint mirror_listen{"127.0.0.1", 5001};
  /// Listening beyond loopback: refused unless this is set and users or client roots are given.
  bool mirror_allow_non_loopback = false;
  std::vector<AgentUser> mirror_users;
  std::string mirror_client_roots_pem;         ///< demands client certificates; needs TLS
  std::optional<net::TlsIdentity> mirror_tls;  ///< none: plain HTTP

  bool proxy_enabled = true;
  net::Endpoint proxy_listen{"127.0.0.1", 5002};
  bool proxy_allow_non_loopback = false;  ///< as for the mirror; needs proxy_users
  std::vector<AgentUser> proxy_users;     ///< Proxy-Authorization; empty: not asked for
  bool proxy_tunnel = true;               ///< tunnel hosts that are not configured, else 403

  net::Endpoint peer_listen{"0.0.0.0", 6881};
  std::optional<std::string> bind_ip;  ///< peers and tracker see this address

  std::vector<AgentRegistry> registries;

  /// Of mirror and proxy from one address; not on loopback, where all clients have one. 0: any
  /// number.
  std::size_t connections_per_address = 1'000;
  /// Over this a body comes at 1 KiB/s at least: no push is cut that a registry would not cut.
  Duration body_span = std::chrono::seconds(30);
  std::uint64_t small_blob_limit = 64 * 1024;      ///< below it: straight from the registry
  std::uint64_t page_cache = 1ULL << 30;           ///< of the kernel's, for blobs; 16 MiB at least
  Duration swarm_stall = std::chrono::seconds(5);  ///< no byte for this long: next source
  bool kernel_tls = true;                          ///< to peers, engines and mirror clients
  AgentRates rates;
  std::uint64_t expected_rate = 0;  ///< bytes/s of the node's link, 0: measured
  std::size_t recent_pulls = 200;   ///< kept for status_json()
};

/// The node agent: mirror, proxy, cache and peer (docs/protocols/agent-http.md). One executor
/// (one thread); disk and hashing on the pool. What is passed by reference must outlive it.
class AgentService {
 public:
  virtual ~AgentService() = default;

  /// Checks the options and opens the data directory. Errors of class invalid name the option:
  /// "agent_option_invalid", "agent_listen_refused"; "store_open" when the directory is not fit.
  static Result<std::unique_ptr<AgentService>> make(net::Executor, net::WorkerPool&, AgentOptions,
                                                    const Clock&, Random&, security::AuditLog&,
                                                    std::shared_ptr<net::Metrics>, Logger);

  /// Opens the listeners. Enrolment and the swarm go on in the background: until they stand,
  /// pulls come from the registry. Error "listen_failed".
  virtual net::Task<Status> start() = 0;
  /// Nothing when ready: listeners open and the node enrolled. Else the reason.
  virtual std::optional<std::string> not_ready() const = 0;
  /// The body of GET /convoy/v1/status.
  virtual std::string status_json() const = 0;

  // As bound; valid after start(). The peer endpoint has port 0 until the node is enrolled.
  virtual net::Endpoint mirror_endpoint() const = 0;
  virtual net::Endpoint proxy_endpoint() const = 0;
  virtual net::Endpoint peer_endpoint() const = 0;
  /// The CA certificate that engines behind the proxy must trust, PEM; also in proxy-ca.pem.
  virtual std::string proxy_ca_pem() const = 0;

  virtual AgentRates rates() const = 0;
  /// From now on, for what is under way too.
  virtual void set_rates(const AgentRates&) = 0;

  /// Serves /convoy/v1/admin/rates for the operations listener (docs/protocols/agent-http.md) to
  /// who shows the token of <data_dir>/admin.json.
  virtual net::Task<void> administrate(net::HttpExchange&) = 0;
  /// Writes that file (mode 0600) with a token made at this start, for commands on this machine.
  virtual Status publish_admin(const net::Endpoint& ops) = 0;

  /// New certificate for the mirror's own listener. Error "tls_identity_invalid".
  virtual Status replace_mirror_identity(net::TlsIdentity) = 0;

  /// Stops accepting, lets requests finish for up to `grace`, ends all tasks. Must be awaited
  /// before destruction once start() was called.
  virtual net::Task<void> stop(Duration grace) = 0;
};

}  // namespace convoy::agent
