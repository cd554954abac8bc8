#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/admin_api.hpp"
#include "agent/fetch/downloads.hpp"
#include "agent/fetch/small_blobs.hpp"
#include "agent/fetch/standing_links.hpp"
#include "agent/gate.hpp"
#include "agent/identity/membership.hpp"
#include "agent/mirror/blob_handler.hpp"
#include "agent/mirror/mirror_handler.hpp"
#include "agent/proxy/proxy_handler.hpp"
#include "agent/rates.hpp"
#include "agent/service.hpp"
#include "agent/upstream.hpp"
#include "net/http_server.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// Where the agent meets the cluster and the disk: replaced in tests.
struct AgentSeams {
  Membership::MakeTracker make_tracker;
  std::function<Result<std::unique_ptr<storage::CacheStore>>(const std::string& root,
                                                             std::uint64_t page_cache)>
      open_cache = storage::open_cache_store;
  std::function<Result<std::shared_ptr<swarm::Engine>>(swarm::EngineOptions)> make_engine;
};

/// The agent put together. What it is made of stands in the order of use, so that it is destroyed
/// in the reverse one.
class Agent final : public AgentService {
 public:
  /// All that make() opened and checked.
  struct Parts {
    NodeStore store;
    std::unique_ptr<storage::CacheStore> cache;
    Upstreams upstreams;
    Gate mirror_gate;
    Gate proxy_gate;
    LocalCa proxy_ca;
    std::shared_ptr<net::TlsServerContext> mirror_tls;
  };

  static Result<std::unique_ptr<AgentService>> make(net::Executor, net::WorkerPool&, AgentOptions,
                                                    const Clock&, Random&, security::AuditLog&,
                                                    std::shared_ptr<net::Metrics>, Logger,
                                                    AgentSeams);

  Agent(net::Executor, net::WorkerPool&, AgentOptions, const Clock&, Random&, security::AuditLog&,
        std::shared_ptr<net::Metrics>, Logger, AgentSeams, Parts);

  net::Task<Status> start() override;
  std::optional<std::string> not_ready() const override;
  std::string status_json() const override;
  net::Endpoint mirror_endpoint() const override { return mirror_endpoint_; }
  net::Endpoint proxy_endpoint() const override { return proxy_endpoint_; }
  net::Endpoint peer_endpoint() const override;
  std::string proxy_ca_pem() const override { return parts_.proxy_ca.certificate_pem(); }
  AgentRates rates() const override { return rates_.values(); }
  void set_rates(const AgentRates&) override;
  net::Task<void> administrate(net::HttpExchange& e) override { return admin_.handle(e); }
  Status publish_admin(const net::Endpoint& ops) override;
  Status replace_mirror_identity(net::TlsIdentity) override;
  net::Task<void> stop(Duration grace) override;

 private:
  BlobHandlerEnv blob_env();
  void joined(const clients::Enrolment&, net::TlsIdentity, std::shared_ptr<clients::TrackerClient>);
  std::shared_ptr<swarm::Engine> make_engine(const clients::Enrolment&, net::TlsIdentity);
  Status open_listeners();

  net::Executor executor_;
  net::WorkerPool& pool_;
  AgentOptions options_;
  const Clock& clock_;
  Random& random_;
  security::AuditLog& audit_;
  std::shared_ptr<net::Metrics> metrics_;
  Logger log_;
  AgentSeams seams_;
  Parts parts_;
  Rates rates_;
  AdminApi admin_;
  Cluster cluster_;
  PullLog pulls_;
  TicketDesk desk_;
  Authorizer authorizer_;
  SwarmSeats seats_;
  Downloads downloads_;
  SmallBlobs small_;
  BlobHandler blobs_;
  MirrorHandler mirror_handler_;
  ProxyHandler proxy_handler_;
  StandingLinks links_;
  Membership membership_;
  net::TaskGroup tasks_;
  std::unique_ptr<net::HttpServer> mirror_;
  std::unique_ptr<net::HttpServer> proxy_;
  net::Endpoint mirror_endpoint_;
  net::Endpoint proxy_endpoint_;
};

}  // namespace convoy::agent
