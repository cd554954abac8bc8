#include <algorithm>

#include "net/ocsp_stapler.hpp"
#include "registry/api/admin_api.hpp"
#include "registry/api/distribution_api.hpp"
#include "registry/core/admin_desk.hpp"
#include "registry/core/collection_runner.hpp"
#include "registry/core/load_watch.hpp"
#include "registry/core/memory_use.hpp"
#include "registry/core/scrub_runner.hpp"
#include "registry/core/stores.hpp"
#include "registry/events/event_hub.hpp"
#include "registry/option_checks.hpp"
#include "registry/origin/origin_seats.hpp"
#include "registry/service.hpp"
#include "storage/blob/posix_file.hpp"
#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {
namespace {

constexpr Duration kHousekeeping = std::chrono::seconds(60);
constexpr Duration kLeastFarewell = std::chrono::seconds(1);  // to webhooks, after the server's end

class Service final : public RegistryService {
 public:
  struct Surroundings {
    net::Executor executor;
    net::WorkerPool& pool;
    const Clock& clock;
    Random& random;
    security::AuditLog& audit;
    std::shared_ptr<net::Metrics> metrics;
    Logger log;
  };

  Service(Surroundings around, RegistryOptions options, Stores stores,
          std::vector<ClusterTrust> clusters, std::shared_ptr<net::TlsServerContext> tls,
          std::unique_ptr<EventHub> events)
      : around_(std::move(around)),
        options_(std::move(options)),
        stores_(std::move(stores)),
        tls_(std::move(tls)),
        events_(std::move(events)),
        egress_(std::make_shared<net::RateLimiter>(around_.executor, options_.egress_rate)),
        projects_(options_.projects),
        quota_(stores_.meta->upkeep(), projects_),
        access_(make_verifier(options_, around_.clock), options_.service, around_.clock),
        uploads_(*stores_.blobs, *stores_.meta, gate_, quota_, around_.pool, around_.clock,
                 around_.random,
                 {options_.limits.blob_bytes, options_.limits.uploads_per_user,
                  options_.limits.upload_lifetime, options_.limits.upload_abandoned}),
        manifests_(*stores_.meta, options_.may_miss, &quota_),
        tokens_(
            security::RegistryTokenIssuer(*options_.token_signer, options_.issuer, options_.service,
                                          options_.token_lifetime, around_.clock, around_.random),
            options_.users, around_.executor, around_.pool, around_.clock, around_.random,
            net::LoginAlert(*around_.metrics, around_.log)),
        metadata_(
            *stores_.blobs, *stores_.meta,
            security::MetadataSigner(*options_.metadata_signer, options_.issuer, around_.clock),
            std::move(clusters), around_.clock),
        pulls_(around_.clock, pull_turn(options_)),
        admission_(admission_limits(options_), around_.clock, around_.random),
        api_(Context{options_, around_.clock, around_.pool, *stores_.blobs, *stores_.meta, access_,
                     admission_, uploads_, manifests_, tokens_, metadata_, pulls_, *events_,
                     around_.audit, *around_.metrics, around_.log}),
        load_(around_.pool, around_.clock, admission_, *around_.metrics, around_.log),
        origins_({around_.executor, around_.pool, *stores_.blobs, *stores_.meta, around_.clock,
                  around_.random, around_.audit, *around_.metrics, around_.log.module("origin"),
                  options_.kernel_tls},
                 stores_.root.get(), egress_),
        desk_({*stores_.blobs, *stores_.meta, gate_, projects_, around_.clock, around_.audit,
               *around_.metrics, options_.upkeep.rules,
               [this](const oci::Digest& digest) { origins_.note_gone(digest); },
               [this](Event event) { events_->post(std::move(event)); }}),
        admin_(desk_, around_.pool, security::OperatorKey(around_.random.hex(32), around_.audit)),
        collection_(around_.executor, around_.pool, around_.clock, desk_, options_.upkeep,
                    [this] { tell_collected(); }),
        scrub_(around_.executor, around_.pool, around_.clock, desk_, options_.upkeep,
               [this] { origins_.drop_gone(); }),
        tasks_(around_.executor) {
    metadata_.on_stated = [this](const std::string& cluster, const bt::BlobMeta& meta) {
      origins_.load(cluster, meta);
    };
  }

  /// What can fail before the start.
  Status prepare() {
    stores_.meta->guard_tags([this](const oci::RepoName& name, const std::string& tag) {
      return projects_.immutable(name.str(), tag);
    });
    if (auto done = uploads_.recover(); !done) return done;
    for (std::size_t i = 0; i < options_.clusters.size(); ++i) {
      if (!options_.clusters[i].tracker) continue;
      auto done = origins_.add(options_.clusters[i], metadata_.clusters()[i]);
      if (!done) return done;
    }
    server_ = std::make_unique<net::HttpServer>(
        around_.executor, http_options(),
        [this](net::HttpExchange& exchange) { return api_.handle(exchange); },
        around_.log.module("http"), around_.random);
    load_.connections = [this] {
      return ConnectionCounts{server_->connections(), server_->connections_refused(),
                              server_->connections_dropped()};
    };
    if (tls_) {
      stapler_ = std::make_unique<net::OcspStapler>(around_.executor, tls_, around_.clock,
                                                    around_.log.module("ocsp"));
    }
    return {};
  }

  Result<net::Endpoint> start() override {
    auto endpoint = server_->listen(options_.listen);
    if (!endpoint) return endpoint;
    started_ = true;
    tasks_.spawn([this] { return keep_house(); });
    tasks_.spawn([this] { return load_.watch_loop(); });
    tasks_.spawn([this] { return load_.watch_pool(); });
    if (stapler_) tasks_.spawn([this] { return stapler_->run(); });
    tasks_.spawn([this] { return collection_.run(); });
    tasks_.spawn([this] { return scrub_.run(); });
    events_->start();
    origins_.start();
    around_.log.info("registry listens", {{"endpoint", endpoint->str()}});
    return endpoint;
  }

  std::optional<std::string> not_ready() const override {
    if (!started_) return "not started";
    return std::nullopt;
  }

  net::Task<void> stop(Duration grace) override {
    started_ = false;
    collection_.end();
    scrub_.end();
    const Deadline end = Deadline::in(around_.clock, grace);
    co_await server_->stop(grace);
    co_await origins_.stop();
    co_await tasks_.stop();
    const Duration left = end.time() - around_.clock.steady();
    co_await events_->stop(std::max(left, kLeastFarewell));
    security::OperatorKey::withdraw(stores_.root.get());
  }

  net::Task<void> administrate(net::HttpExchange& exchange) override {
    const bool ordered = co_await admin_.handle(exchange);
    if (!ordered) co_return;
    collection_.wake();
    scrub_.wake();
  }

  Status publish_admin(const net::Endpoint& ops) override {
    return admin_.key().publish(stores_.root.get(), ops.str());
  }

  std::optional<net::Endpoint> origin_endpoint(const std::string& cluster) const override {
    return origins_.endpoint(cluster);
  }

  Status replace_tls(net::TlsIdentity identity) override {
    if (!tls_) return invalid("option_invalid", "the registry serves without TLS");
    auto replaced = tls_->replace_identity(std::move(identity));
    if (replaced) stapler_->renew();
    return replaced;
  }

  Status replace_webhook_secrets(const std::vector<WebhookOptions>& webhooks) override {
    return events_->replace_secrets(webhooks);
  }

  void replace_egress_rate(std::uint64_t rate) override { egress_->set_rate(rate); }

  void replace_users(std::shared_ptr<const security::UserDirectory> users) override {
    tokens_.replace_users(std::move(users));
  }

 private:
  net::HttpServerOptions http_options() const {
    net::HttpServerOptions http;
    http.limits.header_bytes = options_.limits.header_bytes;
    http.limits.idle_timeout = options_.limits.upload_idle;
    http.limits.header_timeout = options_.limits.header_timeout;
    http.limits.handshake_timeout = options_.limits.header_timeout;
    http.limits.min_body_rate = options_.limits.upload_min_rate;
    http.limits.body_span = options_.limits.upload_min_rate_span;
    http.limits.max_connections = options_.limits.max_connections;
    http.limits.connections_per_address = options_.limits.connections_per_address;
    http.tls = tls_;
    http.egress = egress_;
    http.name = "registry";
    http.extra_headers.set("Docker-Distribution-Api-Version", "registry/2.0");
    http.extra_headers.set("X-Content-Type-Options", "nosniff");
    if (tls_) http.extra_headers.set("Strict-Transport-Security", "max-age=31536000");
    return http;
  }

  void tell_collected() {
    origins_.drop_gone();
    events_->wake();
  }

  net::Task<void> keep_house() {
    auto& gauge = around_.metrics->gauge("convoy_registry_uploads", "Uploads in progress.");
    for (;;) {
      const std::size_t removed = co_await uploads_.expire();
      if (removed > 0) around_.log.info("old uploads removed", {{"count", removed}});
      gauge.set(static_cast<double>(uploads_.size()));
      auto give_back = [] { return give_back_memory(); };
      const std::uint64_t freed = co_await around_.pool.run(std::move(give_back));
      if (freed > 0) around_.log.info("memory given back", {{"bytes", freed}});
      const bool awake = co_await net::sleep_for(kHousekeeping);
      if (!awake) co_return;
    }
  }

  Surroundings around_;
  RegistryOptions options_;
  Stores stores_;
  std::shared_ptr<net::TlsServerContext> tls_;
  std::unique_ptr<EventHub> events_;
  std::shared_ptr<net::RateLimiter> egress_;
  ProjectBook projects_;
  DigestGate gate_;
  QuotaService quota_;
  AccessControl access_;
  UploadService uploads_;
  ManifestService manifests_;
  TokenService tokens_;
  MetadataService metadata_;
  PullNotes pulls_;
  Admission admission_;
  DistributionApi api_;
  LoadWatch load_;
  OriginSeats origins_;
  AdminDesk desk_;
  AdminApi admin_;
  CollectionRunner collection_;
  ScrubRunner scrub_;
  std::unique_ptr<net::OcspStapler> stapler_;  // with TLS
  net::TaskGroup tasks_;
  std::unique_ptr<net::HttpServer> server_;
  bool started_ = false;
};

}  // namespace

Result<std::unique_ptr<RegistryService>> RegistryService::make(
    net::Executor executor, net::WorkerPool& pool, RegistryOptions options, const Clock& clock,
    Random& random, security::AuditLog& audit, std::shared_ptr<net::Metrics> metrics, Logger log) {
  if (auto good = check_options(options); !good) return std::move(good).error();
  if (auto good = check_signers(options, clock, random); !good) return std::move(good).error();
  auto clusters = cluster_trust(options);
  if (!clusters) return std::move(clusters).error();
  auto tls = make_tls(options);
  if (!tls) return std::move(tls).error();
  auto stores = open_stores(options.data_dir, clock);
  if (!stores) return std::move(stores).error();
  Webhook::Needs needs{
      executor, clock, random, *metrics, log.module("events"), event_source(options)};
  auto events = EventHub::make(std::move(needs), std::move(options.webhooks));
  if (!events) return std::move(events).error();
  Service::Surroundings around{std::move(executor), pool,          clock, random, audit,
                               std::move(metrics),  std::move(log)};
  auto service =
      std::make_unique<Service>(std::move(around), std::move(options), std::move(*stores),
                                std::move(*clusters), std::move(*tls), std::move(*events));
  if (auto done = service->prepare(); !done) return std::move(done).error();
  return service;
}

}  // namespace convoy::registry
