#include "agent/service.hpp"

#include "agent/agent.hpp"
#include "agent/options_check.hpp"
#include "clients/tracker/http_tracker_client.hpp"

namespace convoy::agent {
namespace {

Result<std::shared_ptr<net::TlsServerContext>> mirror_context(const AgentOptions& options) {
  if (!options.mirror_tls) return std::shared_ptr<net::TlsServerContext>();
  net::TlsServerOptions tls;
  tls.identity = *options.mirror_tls;
  tls.kernel_sends = options.kernel_tls;
  tls.alpn = {"http/1.1"};
  if (!options.mirror_client_roots_pem.empty()) {
    tls.client_certificate = net::PeerCertificate::required;
    tls.client_roots_pem = options.mirror_client_roots_pem;
  }
  return net::TlsServerContext::make(std::move(tls));
}

Membership::MakeTracker tracker_maker(net::Executor executor, const AgentOptions& options,
                                      http::Url base) {
  return [executor, base = std::move(base), roots = options.tracker_roots_pem,
          pin = hash256_from_hex(options.tracker_pin),
          bind_ip = options.bind_ip](const std::optional<net::TlsIdentity>& identity)
             -> Result<std::shared_ptr<clients::TrackerClient>> {
    net::TlsClientOptions tls;
    tls.identity = identity;
    tls.roots_pem = roots;
    tls.pin = pin;
    auto context = net::TlsClientContext::make(std::move(tls));
    if (!context) return std::move(context).error();
    net::HttpClientOptions client;
    client.tls = std::move(*context);
    client.bind_ip = bind_ip;
    client.connect_timeout = std::chrono::seconds(2);
    auto http = std::make_shared<net::HttpClient>(executor, std::move(client));
    return std::shared_ptr<clients::TrackerClient>(
        clients::make_http_tracker_client(std::move(http), base));
  };
}

}  // namespace

Result<std::unique_ptr<AgentService>> AgentService::make(
    net::Executor executor, net::WorkerPool& pool, AgentOptions options, const Clock& clock,
    Random& random, security::AuditLog& audit, std::shared_ptr<net::Metrics> metrics, Logger log) {
  if (auto checked = check_options(options); !checked) return std::move(checked).error();
  auto tracker = http::parse_url(options.tracker_url);
  if (!tracker) return std::move(tracker).error();
  AgentSeams seams;
  seams.make_tracker = tracker_maker(executor, options, std::move(*tracker));
  seams.make_engine = [executor, &pool, &clock, &random, &audit, metrics,
                       log](swarm::EngineOptions engine) -> Result<std::shared_ptr<swarm::Engine>> {
    auto made = swarm::Engine::make(executor, pool, std::move(engine), clock, random, audit,
                                    *metrics, log.module("swarm"));
    if (!made) return std::move(made).error();
    return std::shared_ptr<swarm::Engine>(std::move(*made));
  };
  return Agent::make(executor, pool, std::move(options), clock, random, audit, std::move(metrics),
                     std::move(log), std::move(seams));
}

Result<std::unique_ptr<AgentService>> Agent::make(net::Executor executor, net::WorkerPool& pool,
                                                  AgentOptions options, const Clock& clock,
                                                  Random& random, security::AuditLog& audit,
                                                  std::shared_ptr<net::Metrics> metrics, Logger log,
                                                  AgentSeams seams) {
  if (auto checked = check_options(options); !checked) return std::move(checked).error();
  auto upstreams = Upstreams::make(executor, options.registries, options.swarm_stall, clock);
  if (!upstreams) return std::move(upstreams).error();
  const net::LoginAlert alert(*metrics, log);
  auto mirror_gate = Gate::make(options.mirror_users, executor, pool, clock, random, alert);
  if (!mirror_gate) return std::move(mirror_gate).error().with("mirror users");
  auto proxy_gate = Gate::make(options.proxy_users, executor, pool, clock, random, alert);
  if (!proxy_gate) return std::move(proxy_gate).error().with("proxy users");
  auto mirror_tls = mirror_context(options);
  if (!mirror_tls) return std::move(mirror_tls).error().with("mirror");
  auto store = NodeStore::open(options.data_dir);
  if (!store) return std::move(store).error();
  auto cache = seams.open_cache(options.data_dir + "/cache", options.page_cache);
  if (!cache) return std::move(cache).error();
  Parts parts{.store = std::move(*store),
              .cache = std::move(*cache),
              .upstreams = std::move(*upstreams),
              .mirror_gate = std::move(*mirror_gate),
              .proxy_gate = std::move(*proxy_gate),
              .proxy_ca = LocalCa::create(options.node_name, clock.wall(), random),
              .mirror_tls = std::move(*mirror_tls)};
  return std::unique_ptr<AgentService>(std::make_unique<Agent>(
      executor, pool, std::move(options), clock, random, audit, std::move(metrics), std::move(log),
      std::move(seams), std::move(parts)));
}

}  // namespace convoy::agent
