#include "tracker/service.hpp"

#include <algorithm>

#include "crypto/jws.hpp"
#include "net/http_server.hpp"
#include "net/task_group.hpp"
#include "security/ca/authority.hpp"
#include "security/ca/join_token.hpp"
#include "security/ca/pem_identity.hpp"
#include "security/ca/revoked_nodes.hpp"
#include "tracker/api/router.hpp"

namespace convoy::tracker {
namespace {

constexpr std::uint64_t kMinBodyRate = 1024;

Error bad(std::string what, const Error& cause) {
  return invalid("tracker_" + what + "_invalid", cause.text());
}

Status check_numbers(const TrackerOptions& options) {
  if (options.ticket_lifetime < std::chrono::seconds(60) ||
      options.ticket_lifetime > security::kMaxTicketLifetime) {
    return invalid("tracker_options_invalid", "ticket lifetime must be 60 s to 600 s");
  }
  if (options.announce_interval < std::chrono::seconds(5) ||
      options.announce_interval > std::chrono::seconds(600)) {
    return invalid("tracker_options_invalid", "announce interval must be 5 s to 600 s");
  }
  if (options.degree < 4 || options.degree > 50) {
    return invalid("tracker_options_invalid", "degree must be 4 to 50");
  }
  if (options.join_token_file.empty()) {
    return invalid("tracker_options_invalid", "no join token file");
  }
  return {};
}

/// The ticket signer, whose certificate must be fit for it below this root.
Result<crypto::Signer> load_ticket_signer(const TrackerOptions& options,
                                          const crypto::Certificate& root, UnixTime now) {
  auto signer = security::load_signer(options.ticket_chain_pem, options.ticket_key_pem);
  if (!signer) return bad("ticket_signer", signer.error());
  const std::vector<crypto::Certificate> rest(signer->chain.begin() + 1, signer->chain.end());
  auto verified = crypto::verify_chain(signer->chain.front(), rest, {root},
                                       crypto::CertUse::ticket_signer, now);
  if (!verified) return bad("ticket_signer", verified.error());
  return signer;
}

/// The tracker's own name, from the certificate that it shows to registries.
Result<crypto::Certificate> load_client(const net::TlsIdentity& client,
                                        const ClusterIdentity& cluster, UnixTime now) {
  auto signer = security::load_signer(client.chain_pem, client.key_pem);
  if (!signer) return bad("client", signer.error());
  const crypto::Certificate leaf = signer->chain.front();
  const std::vector<crypto::Certificate> rest(signer->chain.begin() + 1, signer->chain.end());
  auto verified = crypto::verify_chain(leaf, rest, cluster.roots, crypto::CertUse::node, now);
  if (!verified) return bad("client", verified.error());
  auto id = security::spiffe_of(leaf);
  if (!id) return bad("client", id.error());
  if (id->kind != security::NodeKind::tracker || id->cluster != cluster.cluster ||
      id->trust_domain != cluster.trust_domain) {
    return bad("client", invalid("identity_wrong_kind", id->str()));
  }
  return leaf;
}

}  // namespace

struct TrackerService::Impl {
  struct Loaded {
    ClusterIdentity cluster;
    security::ClusterAuthority authority;
    crypto::Signer signer;
    crypto::Certificate client;
    security::SpiffeId name;
    Registries registries;
    std::shared_ptr<net::TlsServerContext> tls;
    std::shared_ptr<security::RevokedNodes> revoked_file;
    security::RevokedNames revoked;  ///< as last read
  };
  static Result<Loaded> load(net::Executor, const TrackerOptions&, const Clock&, Random&);

  Impl(net::Executor e, net::WorkerPool& workers, TrackerOptions o, Loaded l, const Clock& c,
       Random& random, security::AuditLog& audit, std::shared_ptr<net::Metrics> m, Logger logger);

  net::Task<void> sweep();
  net::Task<void> read_revoked();

  net::Executor executor;
  net::WorkerPool& pool;
  TrackerOptions options;
  const Clock& clock;
  std::shared_ptr<net::Metrics> metrics;
  Logger log;
  Loaded loaded;
  net::TaskGroup tasks;
  security::TicketIssuer issuer;
  EnrolmentOffice office;
  PullCheck pulls;
  MetadataSource metadata;
  GrantTable grants;
  PeerTable peers;
  CallLimiter limiter;
  TicketDesk desk;
  Router router;
  net::HttpServer server;
  bool listening = false;
};

Result<TrackerService::Impl::Loaded> TrackerService::Impl::load(net::Executor executor,
                                                                const TrackerOptions& options,
                                                                const Clock& clock,
                                                                Random& random) {
  auto numbers = check_numbers(options);
  if (!numbers) return std::move(numbers).error();
  auto authority = security::ClusterAuthority::make(
      options.issuing_cert_pem, options.issuing_key_pem, options.root_pem, options.trust_domain,
      options.cluster, clock, random);
  if (!authority) return bad("authority", authority.error());
  const crypto::Certificate root = authority->root();
  ClusterIdentity cluster{options.trust_domain, options.cluster, {root}};
  auto signer = load_ticket_signer(options, root, clock.wall());
  if (!signer) return std::move(signer).error();
  auto client = load_client(options.client, cluster, clock.wall());
  if (!client) return std::move(client).error();
  auto name = security::spiffe_of(*client);
  if (!name) return bad("client", name.error());
  auto registries = Registries::make(executor, options.registries, options.client, clock);
  if (!registries) return std::move(registries).error();

  net::TlsServerOptions tls;
  tls.identity = options.server;
  tls.client_certificate = net::PeerCertificate::optional;
  tls.client_roots_pem = root.pem();
  auto context = net::TlsServerContext::make(std::move(tls));
  if (!context) return bad("server", context.error());
  auto revoked_file = std::make_shared<security::RevokedNodes>(options.join_token_file);
  auto revoked = revoked_file->list();
  if (!revoked) return bad("join_token_file", revoked.error());
  return Loaded{std::move(cluster),
                std::move(*authority),
                std::move(*signer),
                *client,
                *name,
                std::move(*registries),
                std::move(*context),
                std::move(revoked_file),
                std::move(*revoked)};
}

namespace {

PeerTableOptions table_options(const TrackerOptions& options) {
  PeerTableOptions out;
  out.interval = options.announce_interval;
  out.policy.degree = options.degree;
  out.policy.max_members = options.limits.max_peers_per_swarm;
  out.max_swarms = options.limits.max_swarms;
  return out;
}

net::HttpServerOptions server_options(const TrackerOptions& options,
                                      std::shared_ptr<net::TlsServerContext> tls) {
  net::HttpServerOptions out;
  out.limits.max_connections = options.limits.max_connections;
  out.limits.connections_per_address = options.limits.connections_per_address;
  out.limits.min_body_rate = kMinBodyRate;
  out.limits.body_span = options.limits.body_span;
  out.limits.idle_timeout = options.limits.body_span;
  out.tls = std::move(tls);
  out.name = "tracker";
  return out;
}

}  // namespace

TrackerService::Impl::Impl(net::Executor e, net::WorkerPool& workers, TrackerOptions o, Loaded l,
                           const Clock& c, Random& random, security::AuditLog& audit,
                           std::shared_ptr<net::Metrics> m, Logger logger)
    : executor(e),
      pool(workers),
      options(std::move(o)),
      clock(c),
      metrics(std::move(m)),
      log(std::move(logger)),
      loaded(std::move(l)),
      tasks(e),
      issuer(loaded.signer, loaded.name, clock, random),
      office(loaded.authority,
             std::make_shared<security::FileJoinTokenStore>(options.join_token_file),
             loaded.revoked_file, e, workers, options.node_lifetime, clock,
             net::LoginAlert(*metrics, log)),
      pulls(e, tasks, options.limits.max_registry_calls, options.registry_timeout, clock),
      metadata(e, tasks, options.limits.max_registry_calls, options.registry_timeout,
               loaded.authority.root().pem(), clock),
      grants(options.limits.max_grants),
      peers(table_options(options), random),
      limiter({options.limits.node_calls_per_second, options.limits.node_call_burst}),
      desk({loaded.registries, pulls, metadata, issuer, grants, peers, clock,
            options.ticket_lifetime}),
      router({office, desk, loaded.registries, grants, peers, limiter, loaded.cluster,
              loaded.revoked, options.announce_interval, options.limits.max_body_bytes, clock,
              audit, metrics, log}),
      server(
          e, server_options(options, loaded.tls),
          [this](net::HttpExchange& http) { return router.handle(http); }, log, random) {}

net::Task<void> TrackerService::Impl::read_revoked() {
  auto job = [file = loaded.revoked_file] { return file->list(); };
  auto read = co_await pool.run(std::move(job));
  if (read) {
    loaded.revoked = std::move(*read);
  } else {
    log.error("the revoked nodes cannot be read: those known stay",
              {{"reason", read.error().text()}});
  }
}

net::Task<void> TrackerService::Impl::sweep() {
  while (co_await net::sleep_for(options.sweep)) {
    co_await read_revoked();
    const SteadyTime now = clock.steady();
    peers.expire(now);
    grants.expire(now);
    limiter.expire(now);
    pulls.expire(now);
    metadata.expire(now, clock.wall());
    metrics->gauge("convoy_tracker_swarms", "Swarms with a live member.")
        .set(static_cast<double>(peers.swarms()));
    metrics->gauge("convoy_tracker_members", "Live members over all swarms.")
        .set(static_cast<double>(peers.members()));
    metrics->gauge("convoy_tracker_grants", "Tickets that have not run out.")
        .set(static_cast<double>(grants.size()));
  }
}

Result<std::unique_ptr<TrackerService>> TrackerService::make(
    net::Executor executor, net::WorkerPool& pool, TrackerOptions options, const Clock& clock,
    Random& random, security::AuditLog& audit, std::shared_ptr<net::Metrics> metrics, Logger log) {
  auto loaded = Impl::load(executor, options, clock, random);
  if (!loaded) return std::move(loaded).error();
  auto impl = std::make_unique<Impl>(executor, pool, std::move(options), std::move(*loaded), clock,
                                     random, audit, std::move(metrics), log.module("tracker"));
  return std::unique_ptr<TrackerService>(new TrackerService(std::move(impl)));
}

TrackerService::TrackerService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TrackerService::~TrackerService() = default;

Result<net::Endpoint> TrackerService::start() {
  auto bound = impl_->server.listen(impl_->options.listen);
  if (!bound) return bound;
  impl_->listening = true;
  Impl* impl = impl_.get();
  impl_->tasks.spawn([impl] { return impl->sweep(); });
  impl_->log.info("tracker listens",
                  {{"endpoint", bound->str()}, {"cluster", impl_->options.cluster}});
  return bound;
}

std::optional<std::string> TrackerService::not_ready() const {
  const UnixTime now = impl_->clock.wall();
  if (!impl_->listening) return "not listening";
  if (impl_->loaded.authority.issuing().not_after() <= now) return "the issuing CA has expired";
  if (impl_->loaded.signer.chain.front().not_after() <= now) return "the ticket signer has expired";
  if (impl_->loaded.client.not_after() <= now) return "the client certificate has expired";
  return std::nullopt;
}

Status TrackerService::replace_server_identity(net::TlsIdentity identity) {
  return impl_->loaded.tls->replace_identity(std::move(identity));
}

Status TrackerService::replace_client_identity(net::TlsIdentity identity) {
  auto leaf = load_client(identity, impl_->loaded.cluster, impl_->clock.wall());
  if (!leaf) return std::move(leaf).error();
  auto id = security::spiffe_of(*leaf);
  if (!id) return std::move(id).error();
  if (*id != impl_->loaded.name) return invalid("tracker_client_invalid", "another name");
  auto replaced = impl_->loaded.registries.replace_identity(identity);
  if (!replaced) return replaced;
  impl_->loaded.client = *leaf;
  return {};
}

net::Task<void> TrackerService::stop(Duration grace) {
  impl_->listening = false;
  co_await impl_->server.stop(grace);
  co_await impl_->tasks.stop();
}

}  // namespace convoy::tracker
