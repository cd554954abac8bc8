#include <algorithm>
#include <map>
#include <mutex>

#include "clients/tracker/http_tracker_client.hpp"
#include "net/http_client.hpp"
#include "net/ocsp_stapler.hpp"
#include "registry/api/admin_api.hpp"
#include "registry/api/distribution_api.hpp"
#include "registry/core/admin_desk.hpp"
#include "registry/core/load_meter.hpp"
#include "registry/core/load_metrics.hpp"
#include "registry/core/memory_use.hpp"
#include "registry/core/stores.hpp"
#include "registry/events/event_hub.hpp"
#include "registry/origin/origin_seeder.hpp"
#include "registry/service.hpp"
#include "security/identity/spiffe.hpp"
#include "storage/blob/posix_file.hpp"
#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {
namespace {

constexpr Duration kHousekeeping = std::chrono::seconds(60);
constexpr Duration kFirstUpkeep = std::chrono::seconds(60);  // after the start
constexpr Duration kLongestNap = std::chrono::hours(1);
constexpr std::uint64_t kScrubStep = 1024 * 1024;
constexpr const char* kAdminFile = "admin.json";
constexpr Duration kLeastFarewell = std::chrono::seconds(1);  // to webhooks, after the server's end
constexpr std::size_t kMinTokenSeconds = 60;  // clients of token authentication raise less to it

std::vector<crypto::Certificate> token_roots(const RegistryOptions& options) {
  if (!options.token_roots.empty()) return options.token_roots;
  return {options.token_signer->chain.back()};
}

security::RegistryTokenVerifier make_verifier(const RegistryOptions& options, const Clock& clock) {
  return security::RegistryTokenVerifier({token_roots(options), options.issuer, options.service},
                                         clock);
}

Admission::Limits admission_limits(const RegistryOptions& options) {
  Admission::Limits out{options.limits.address_requests, options.limits.user_requests,
                        options.load};
  if (out.load.memory == 0) out.load.memory = cgroup_memory_limit().value_or(0);
  return out;
}

/// Exact enough for the shortest time that anything is kept for.
Duration pull_turn(const RegistryOptions& options) {
  Duration turn = std::chrono::minutes(10);
  const Duration age = options.upkeep.rules.untagged_age;
  if (age > Duration::zero()) turn = std::min(turn, age / 4);
  for (const auto& project : options.projects) {
    for (const auto& rule : project.retention) {
      if (rule.keep_pulled) turn = std::min(turn, *rule.keep_pulled / 4);
    }
  }
  return turn;
}

Status check_options(const RegistryOptions& options) {
  if (options.data_dir.empty()) return invalid("option_invalid", "data_dir is empty");
  if (!options.users) return invalid("option_invalid", "users are missing");
  if (options.issuer.empty() || options.service.empty()) {
    return invalid("option_invalid", "issuer or service is empty");
  }
  if (options.token_lifetime < std::chrono::seconds(kMinTokenSeconds)) {
    return invalid("option_invalid", "token_lifetime is below 60 s");
  }
  if (!options.clusters.empty() && !options.tls) {
    return invalid("option_invalid", "clusters need TLS: trackers show a client certificate");
  }
  return {};
}

/// A registry whose own tokens or statements nobody accepts should not start.
Status check_signers(const RegistryOptions& options, const Clock& clock, Random& random) {
  if (!options.token_signer || options.token_signer->chain.empty()) {
    return invalid("option_invalid", "token_signer is missing");
  }
  if (!options.metadata_signer || options.metadata_signer->chain.empty()) {
    return invalid("option_invalid", "metadata_signer is missing");
  }
  const security::RegistryTokenIssuer issuer(*options.token_signer, options.issuer, options.service,
                                             options.token_lifetime, clock, random);
  auto token = make_verifier(options, clock).verify(issuer.issue("", {}).token);
  if (!token) {
    return invalid("option_invalid", "token_signer: " + token.error().text());
  }
  const bt::BlobMeta meta{.digest = oci::Digest::sha256({}),
                          .size = 1,
                          .piece_length = bt::choose_piece_length(1),
                          .pieces_root = {}};
  const security::MetadataSigner signer(*options.metadata_signer, options.issuer, clock);
  const security::MetadataVerifier verifier({token_roots(options), options.issuer}, clock);
  auto statement = verifier.verify(signer.sign(meta), meta.digest);
  if (!statement) {
    return invalid("option_invalid", "metadata_signer: " + statement.error().text());
  }
  return {};
}

Result<std::vector<ClusterTrust>> cluster_trust(const RegistryOptions& options) {
  std::vector<ClusterTrust> out;
  for (const auto& cluster : options.clusters) {
    auto roots = crypto::Certificate::chain_from_pem(cluster.roots_pem);
    if (!roots) return invalid("option_invalid", "cluster " + cluster.name + ": roots");
    out.push_back({cluster.name, cluster.trust_domain, std::move(*roots)});
  }
  return out;
}

/// As CloudEvents want it, a URI reference.
std::string event_source(const RegistryOptions& options) {
  return options.public_url.value_or(http::percent_encode(options.service));
}

Result<std::shared_ptr<net::TlsServerContext>> make_tls(const RegistryOptions& options) {
  if (!options.tls) return std::shared_ptr<net::TlsServerContext>();
  net::TlsServerOptions tls;
  tls.identity = *options.tls;
  for (const auto& cluster : options.clusters) {
    tls.client_certificate = net::PeerCertificate::optional;
    tls.client_roots_pem += cluster.roots_pem;
    if (!tls.client_roots_pem.ends_with('\n')) tls.client_roots_pem += '\n';
  }
  return net::TlsServerContext::make(std::move(tls));
}

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
            options_.users, around_.executor, around_.pool, around_.clock, around_.random),
        metadata_(
            *stores_.blobs, *stores_.meta,
            security::MetadataSigner(*options_.metadata_signer, options_.issuer, around_.clock),
            std::move(clusters), around_.clock),
        pulls_(around_.clock, pull_turn(options_)),
        admission_(admission_limits(options_), around_.clock, around_.random),
        api_(Context{options_, around_.clock, around_.pool, *stores_.blobs, *stores_.meta, access_,
                     admission_, uploads_, manifests_, tokens_, metadata_, pulls_, *events_,
                     around_.audit, *around_.metrics, around_.log}),
        load_metrics_(*around_.metrics),
        meter_(around_.pool, around_.clock, [this](const LoadSample& s) { note_load(s); }),
        desk_({*stores_.blobs, *stores_.meta, gate_, projects_, around_.clock, around_.audit,
               *around_.metrics, options_.upkeep.rules,
               [this](const oci::Digest& digest) { note_gone(digest); },
               [this](Event event) { events_->post(std::move(event)); }}),
        admin_(desk_, around_.pool, around_.audit, around_.random.hex(32)),
        quiet_pool_(1),
        collect_wake_(around_.executor),
        scrub_wake_(around_.executor),
        tasks_(around_.executor) {
    if (options_.egress_rate > 0) {
      egress_ = std::make_shared<net::RateLimiter>(around_.executor, options_.egress_rate);
    }
    metadata_.on_stated = [this](const std::string& cluster, const bt::BlobMeta& meta) {
      const auto it = origins_.find(cluster);
      if (it != origins_.end()) it->second->load(meta);
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
      if (auto done = make_origin(options_.clusters[i], metadata_.clusters()[i]); !done)
        return done;
    }
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
    if (tls_) {
      http.extra_headers.set("Strict-Transport-Security", "max-age=31536000");
      stapler_ = std::make_unique<net::OcspStapler>(around_.executor, tls_, around_.clock,
                                                    around_.log.module("ocsp"));
    }
    server_ = std::make_unique<net::HttpServer>(
        around_.executor, std::move(http),
        [this](net::HttpExchange& exchange) { return api_.handle(exchange); },
        around_.log.module("http"), around_.random);
    return {};
  }

  Result<net::Endpoint> start() override {
    auto endpoint = server_->listen(options_.listen);
    if (!endpoint) return endpoint;
    started_ = true;
    tasks_.spawn([this] { return keep_house(); });
    tasks_.spawn([this] { return meter_.watch_loop(); });
    tasks_.spawn([this] { return meter_.watch_pool(); });
    if (stapler_) tasks_.spawn([this] { return stapler_->run(); });
    tasks_.spawn([this] { return keep_collected(); });
    tasks_.spawn([this] { return keep_scrubbed(); });
    events_->start();
    for (auto& [name, origin] : origins_) origin->start();
    around_.log.info("registry listens", {{"endpoint", endpoint->str()}});
    return endpoint;
  }

  std::optional<std::string> not_ready() const override {
    if (!started_) return "not started";
    return std::nullopt;
  }

  net::Task<void> stop(Duration grace) override {
    started_ = false;
    stopping_ = true;
    const Deadline end = Deadline::in(around_.clock, grace);
    co_await server_->stop(grace);
    for (auto& [name, origin] : origins_) co_await origin->stop();
    co_await tasks_.stop();
    const Duration left = end.time() - around_.clock.steady();
    co_await events_->stop(std::max(left, kLeastFarewell));
    storage::remove_file(stores_.root.get(), kAdminFile);
  }

  net::Task<void> administrate(net::HttpExchange& exchange) override {
    const bool ordered = co_await admin_.handle(exchange);
    if (!ordered) co_return;
    collect_wake_.notify_all();
    scrub_wake_.notify_all();
  }

  Status publish_admin(const net::Endpoint& ops) override {
    std::string text = R"({"ops":)";
    append_json_string(text, ops.str());
    text += R"(,"token":)";
    append_json_string(text, admin_.token());
    text += "}\n";
    auto done = storage::write_durably(stores_.root.get(), std::string(kAdminFile) + ".new",
                                       stores_.root.get(), kAdminFile, as_bytes(text));
    if (done) done = storage::sync_fd(stores_.root.get());
    return done;
  }

  std::optional<net::Endpoint> origin_endpoint(const std::string& cluster) const override {
    const auto it = origins_.find(cluster);
    if (it == origins_.end()) return std::nullopt;
    return it->second->endpoint();
  }

  Status replace_tls(net::TlsIdentity identity) override {
    if (!tls_) return invalid("option_invalid", "the registry serves without TLS");
    auto replaced = tls_->replace_identity(std::move(identity));
    if (replaced) stapler_->renew();
    return replaced;
  }

  void replace_users(std::shared_ptr<const security::UserDirectory> users) override {
    tokens_.replace_users(std::move(users));
  }

 private:
  Result<storage::Fd> state_directory(const ClusterOptions& cluster) {
    if (!cluster.state_dir.empty()) return storage::open_root(cluster.state_dir);
    auto all = storage::open_subdir(stores_.root.get(), "origin");
    if (!all) return all;
    return storage::open_subdir(all->get(), cluster.name);
  }

  Status make_origin(const ClusterOptions& cluster, const ClusterTrust& trust) {
    // The name becomes a directory: only what may stand in a SPIFFE id.
    auto id = security::SpiffeId::make(cluster.trust_domain, cluster.name,
                                       security::NodeKind::origin, cluster.node_name);
    if (!id) return invalid("option_invalid", "cluster " + cluster.name + ": names");
    auto directory = state_directory(cluster);
    if (!directory) return std::move(directory).error();
    auto identity = OriginIdentity::open(std::move(*directory),
                                         {cluster.name, cluster.trust_domain, trust.roots});
    if (!identity) return std::move(identity).error();
    net::TlsClientOptions tls_options;
    tls_options.roots_pem = cluster.tracker_roots_pem;
    auto tls = net::TlsClientContext::make(std::move(tls_options));
    if (!tls) return std::move(tls).error();
    net::HttpClientOptions http;
    http.tls = *tls;
    http.bind_ip = cluster.bind_ip;
    auto client = std::make_shared<net::HttpClient>(around_.executor, std::move(http));
    auto tracker = clients::make_http_tracker_client(std::move(client), *cluster.tracker);
    OriginSeeder::Needs needs{around_.executor, around_.pool,     *stores_.blobs,
                              *stores_.meta,    around_.clock,    around_.random,
                              around_.audit,    *around_.metrics, around_.log.module("origin")};
    origins_.emplace(cluster.name, std::make_unique<OriginSeeder>(
                                       std::move(needs), cluster, std::move(*identity),
                                       std::move(tracker), *tls, egress_, trust.roots));
    return {};
  }

  net::Task<void> keep_house() {
    auto& gauge = around_.metrics->gauge("convoy_registry_uploads", "Uploads in progress.");
    for (;;) {
      const std::size_t removed = co_await uploads_.expire();
      if (removed > 0) around_.log.info("old uploads removed", {{"count", removed}});
      gauge.set(static_cast<double>(uploads_.size()));
      const bool awake = co_await net::sleep_for(kHousekeeping);
      if (!awake) co_return;
    }
  }

  void note_load(const LoadSample& sample) {
    const LoadLevel before = admission_.level();
    admission_.measured(sample);
    const LoadLevel now = admission_.level();
    load_metrics_.show(
        now, sample,
        {server_->connections(), server_->connections_refused(), server_->connections_dropped()});
    if (now == before) return;
    const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
    around_.log.warn("load level changed", {{"level", static_cast<int>(now)},
                                            {"loop_lag_ms", ms(sample.loop_lag)},
                                            {"pool_wait_ms", ms(sample.pool_wait)},
                                            {"resident_bytes", sample.resident}});
  }

  void note_gone(const oci::Digest& digest) {
    const std::lock_guard lock(gone_mutex_);
    gone_.push_back(digest);
  }

  /// The origin seeders hold blobs open, and would go on with what is not there any more.
  void stop_seeding_gone() {
    std::vector<oci::Digest> gone;
    {
      const std::lock_guard lock(gone_mutex_);
      gone.swap(gone_);
    }
    for (const auto& digest : gone) {
      for (auto& [name, origin] : origins_) origin->drop(digest);
    }
  }

  /// How long a wait lasts until `due`; a clock that jumps is looked at again within the hour.
  Duration until(SteadyTime due) const {
    return std::clamp<Duration>(due - around_.clock.steady(), std::chrono::milliseconds(1),
                                kLongestNap);
  }

  net::Task<void> keep_collected() {
    const Duration interval = options_.upkeep.gc_interval;
    SteadyTime due = around_.clock.steady() + std::min(interval, kFirstUpkeep);
    for (;;) {
      auto step = [this] { return desk_.collect_step(); };
      const bool busy = co_await around_.pool.run(std::move(step));
      stop_seeding_gone();
      events_->wake();
      bool begun = false;
      if (!busy && interval > Duration::zero() && around_.clock.steady() >= due) {
        due = around_.clock.steady() + interval;
        auto begin = [this] { return desk_.begin_collection(false); };
        begun = co_await around_.pool.run(std::move(begin));
      }
      Duration nap = busy || begun ? options_.upkeep.gc_pause : kLongestNap;
      if (!busy && !begun && interval > Duration::zero()) nap = until(due);
      bool awake = true;
      if (busy || begun) {
        awake = co_await net::sleep_for(nap);
      } else {
        co_await collect_wake_.wait(nap);
        awake = !stopping_;
      }
      if (!awake) co_return;
    }
  }

  /// Until the next scheduled pass; nothing when none is.
  net::Task<std::optional<Duration>> until_scrub() {
    if (options_.upkeep.scrub_interval <= Duration::zero()) co_return std::nullopt;
    auto look = [this] { return desk_.last_scrub(); };
    const auto last = co_await around_.pool.run(std::move(look));
    if (!last) co_return kLongestNap;
    const Duration left = *last + options_.upkeep.scrub_interval - around_.clock.wall();
    co_return std::clamp<Duration>(left, Duration::zero(), kLongestNap);
  }

  net::Task<void> keep_scrubbed() {
    auto lower = [] { lower_thread_priority(); };
    co_await quiet_pool_.run(std::move(lower));
    bool scheduled = false;
    for (;;) {
      const SteadyTime began = around_.clock.steady();
      auto step = [this] { return desk_.scrub_step(kScrubStep); };
      const bool busy = co_await quiet_pool_.run(std::move(step));
      stop_seeding_gone();
      if (busy) {
        Duration nap = std::chrono::microseconds(1);
        if (scheduled && options_.upkeep.scrub_rate > 0) {
          const double seconds =
              static_cast<double>(kScrubStep) / static_cast<double>(options_.upkeep.scrub_rate);
          const auto turn =
              std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
          nap = std::max(nap, turn - (around_.clock.steady() - began));
        }
        const bool awake = co_await net::sleep_for(nap);
        if (!awake) co_return;
        continue;
      }
      scheduled = false;
      const std::optional<Duration> left = co_await until_scrub();
      if (left && *left == Duration::zero()) {
        auto begin = [this] { return desk_.begin_scrub(false); };
        scheduled = co_await around_.pool.run(std::move(begin));
        if (scheduled) continue;
      }
      const Duration nap = std::max<Duration>(left.value_or(kLongestNap), std::chrono::seconds(1));
      co_await scrub_wake_.wait(nap);
      if (stopping_) co_return;
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
  LoadMetrics load_metrics_;
  LoadMeter meter_;
  std::mutex gone_mutex_;
  std::vector<oci::Digest> gone_;  // since the seeders were last told
  AdminDesk desk_;
  AdminApi admin_;
  net::WorkerPool quiet_pool_;  // one thread, whose reads come after all others'
  net::Notify collect_wake_;
  net::Notify scrub_wake_;
  std::unique_ptr<net::OcspStapler> stapler_;  // with TLS
  std::map<std::string, std::unique_ptr<OriginSeeder>> origins_;
  net::TaskGroup tasks_;
  std::unique_ptr<net::HttpServer> server_;
  bool started_ = false;
  bool stopping_ = false;
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
