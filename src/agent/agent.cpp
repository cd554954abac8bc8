#include "agent/agent.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "agent/options_check.hpp"
#include "agent/rates_json.hpp"

namespace convoy::agent {
namespace {

constexpr std::uint64_t kMinBodyRate = 1024;  // as registries demand it

net::HttpServerLimits limits_of(const AgentOptions& options) {
  net::HttpServerLimits limits;
  limits.min_body_rate = kMinBodyRate;
  limits.body_span = options.body_span;
  return limits;
}

net::HttpServerOptions server_at(const net::Endpoint& listen, const AgentOptions& options) {
  net::HttpServerOptions server;
  server.limits = limits_of(options);
  if (!listen.loopback()) {
    server.limits.connections_per_address = options.connections_per_address;
  }
  return server;
}

ProxyPolicy policy_of(const AgentOptions& options) {
  return {options.proxy_tunnel, options.proxy_allow_non_loopback, limits_of(options),
          options.kernel_tls};
}

}  // namespace

Agent::Agent(net::Executor executor, net::WorkerPool& pool, AgentOptions options,
             const Clock& clock, Random& random, security::AuditLog& audit,
             std::shared_ptr<net::Metrics> metrics, Logger log, AgentSeams seams, Parts parts)
    : executor_(executor),
      pool_(pool),
      options_(std::move(options)),
      clock_(clock),
      random_(random),
      audit_(audit),
      metrics_(std::move(metrics)),
      log_(log),
      seams_(std::move(seams)),
      parts_(std::move(parts)),
      rates_(executor, options_.rates, clock),
      admin_(security::OperatorKey(random.hex(32), audit),
             {[this] { return rates(); }, [this](const AgentRates& r) { set_rates(r); }}),
      pulls_(options_.recent_pulls, metrics_, log.module("pulls")),
      desk_(cluster_, options_.zone, clock, audit, log.module("tickets")),
      authorizer_(desk_, clock, std::min<Duration>(options_.swarm_stall, std::chrono::seconds(3))),
      seats_(cluster_, desk_, clock, log.module("swarm")),
      downloads_(executor, pool, *parts_.cache, seats_, clock, options_.swarm_stall,
                 rates_.registry(), log.module("fetch")),
      small_({.executor = executor,
              .pool = pool,
              .cache = *parts_.cache,
              .clock = clock,
              .limit = options_.small_blob_limit,
              .registry_rate = rates_.registry(),
              .metrics = metrics_,
              .log = log.module("ahead")}),
      blobs_(blob_env()),
      mirror_handler_(parts_.upstreams, parts_.mirror_gate, blobs_, small_, clock, audit,
                      log.module("mirror")),
      proxy_handler_(executor, parts_.upstreams, parts_.proxy_gate, blobs_, small_, parts_.proxy_ca,
                     policy_of(options_), clock, random, audit, log.module("proxy")),
      links_(cluster_, parts_.upstreams, tasks_, clock, random),
      membership_(
          MembershipOptions{options_.node_name, options_.zone, options_.join_token}, parts_.store,
          pool, clock, seams_.make_tracker,
          [this](const clients::Enrolment& enrolment, net::TlsIdentity identity,
                 std::shared_ptr<clients::TrackerClient> tracker) {
            joined(enrolment, std::move(identity), std::move(tracker));
          },
          log.module("membership")),
      tasks_(executor) {}

BlobHandlerEnv Agent::blob_env() {
  return {.authorizer = authorizer_,
          .downloads = downloads_,
          .small = small_,
          .seats = seats_,
          .cache = *parts_.cache,
          .pool = pool_,
          .pulls = pulls_,
          .clock = clock_,
          .random = random_,
          .audit = audit_,
          .registry_rate = rates_.registry(),
          .small_blob_limit = options_.small_blob_limit,
          .stall = options_.swarm_stall,
          .log = log_.module("blobs")};
}

net::Task<Status> Agent::start() {
  auto opened = open_listeners();
  if (!opened) co_return opened;
  if (options_.mirror_enabled && !parts_.mirror_tls && !options_.mirror_listen.loopback()) {
    log_.warn("the mirror takes passwords over plain HTTP from beyond this machine",
              {{"listen", mirror_endpoint_.str()}});
  }
  const std::string pem = proxy_ca_pem();
  NodeStore* store = &parts_.store;
  auto write = [store, pem] { return store->write_public("proxy-ca.pem", pem); };
  auto written = co_await pool_.run(std::move(write));
  if (!written) co_return written;
  tasks_.spawn([this] { return membership_.run(); });
  tasks_.spawn([this] { return links_.run(); });
  co_return Status{};
}

Status Agent::open_listeners() {
  if (options_.mirror_enabled) {
    net::HttpServerOptions server = server_at(options_.mirror_listen, options_);
    server.tls = parts_.mirror_tls;
    server.name = "mirror";
    mirror_ = std::make_unique<net::HttpServer>(
        executor_, std::move(server),
        [this](net::HttpExchange& exchange) { return mirror_handler_.handle(exchange); },
        log_.module("mirror"), random_);
    auto bound = mirror_->listen(options_.mirror_listen);
    if (!bound) return std::move(bound).error().with("mirror");
    mirror_endpoint_ = *bound;
  }
  if (options_.proxy_enabled) {
    net::HttpServerOptions server = server_at(options_.proxy_listen, options_);
    server.name = "proxy";
    proxy_ = std::make_unique<net::HttpServer>(
        executor_, std::move(server),
        [this](net::HttpExchange& exchange) { return proxy_handler_.handle(exchange); },
        log_.module("proxy"), random_);
    auto bound = proxy_->listen(options_.proxy_listen);
    if (!bound) return std::move(bound).error().with("proxy");
    proxy_endpoint_ = *bound;
  }
  return {};
}

void Agent::joined(const clients::Enrolment& enrolment, net::TlsIdentity identity,
                   std::shared_ptr<clients::TrackerClient> tracker) {
  auto link = std::make_shared<ClusterLink>();
  link->enrolment = enrolment;
  link->tracker = std::move(tracker);
  for (const auto& registry : enrolment.registries) {
    auto roots = crypto::Certificate::chain_from_pem(registry.roots_pem);
    if (!roots) {
      log_.error("a registry's metadata roots cannot be read", {{"registry", registry.host}});
      continue;
    }
    security::MetadataTrust trust{std::move(*roots), registry.issuer};
    link->registries.emplace(registry.host, security::MetadataVerifier(std::move(trust), clock_));
  }
  const auto before = cluster_.link();
  const bool running = before && before->engine;
  link->engine = running ? before->engine : make_engine(enrolment, identity);
  cluster_.set(link);
  // Tickets are bound to the certificate: those at hand are of no more use, and what the engine
  // asks for now has to go through the new link.
  authorizer_.forget_all();
  links_.greet();
  if (!running) return;
  auto replaced = link->engine->replace_identity(std::move(identity));
  if (!replaced) log_.error("peers see the old identity", {{"reason", replaced.error().text()}});
}

std::shared_ptr<swarm::Engine> Agent::make_engine(const clients::Enrolment& enrolment,
                                                  net::TlsIdentity identity) {
  auto roots = crypto::Certificate::chain_from_pem(enrolment.root_pem);
  if (!roots) {
    log_.error("the cluster root cannot be read", {{"reason", roots.error().text()}});
    return nullptr;
  }
  swarm::EngineOptions options;
  options.identity = std::move(identity);
  options.roots = std::move(*roots);
  options.cluster = enrolment.cluster;
  options.listen = options_.peer_listen;
  options.bind_ip = options_.bind_ip;
  rates_.limit(options);
  options.expected_rate = options_.expected_rate;
  options.kernel_tls = options_.kernel_tls;
  auto engine = seams_.make_engine(std::move(options));
  if (!engine) {
    log_.error("no swarm on this node", {{"reason", engine.error().text()}});
    return nullptr;
  }
  return std::move(*engine);
}

net::Endpoint Agent::peer_endpoint() const {
  const auto link = cluster_.link();
  return link && link->engine ? link->engine->local() : net::Endpoint{options_.peer_listen.ip, 0};
}

std::optional<std::string> Agent::not_ready() const {
  if ((options_.mirror_enabled && !mirror_) || (options_.proxy_enabled && !proxy_)) {
    return "not started";
  }
  if (auto reason = membership_.not_ready()) return reason;
  const auto link = cluster_.link();
  if (!link || !link->engine) return "the peer listener could not be opened";
  return std::nullopt;
}

std::string Agent::status_json() const {
  boost::json::object out;
  const auto link = cluster_.link();
  out["node"] = link ? link->enrolment.id : options_.node_name;
  out["cluster"] = link ? link->enrolment.cluster : std::string();
  const auto reason = not_ready();
  out["ready"] = !reason.has_value();
  if (reason) out["reason"] = *reason;
  if (mirror_) out["mirror"] = mirror_endpoint_.str();
  if (proxy_) out["proxy"] = proxy_endpoint_.str();
  out["peer"] = peer_endpoint().str();
  out["tracker_up"] = desk_.tracker_up();
  out["downloads"] = downloads_.running();
  out["torrents"] = seats_.size();
  out["rates"] = boost::json::parse(to_json(rates_.values()));
  out["running"] = pulls_.running_json();
  out["pulls"] = pulls_.to_json();
  return boost::json::serialize(out);
}

void Agent::set_rates(const AgentRates& rates) {
  const auto link = cluster_.link();
  rates_.change(rates, link ? link->engine.get() : nullptr);
  log_.info("rates changed", {{"rates", to_json(rates)}});
}

Status Agent::publish_admin(const net::Endpoint& ops) {
  return admin_.key().publish(parts_.store.directory(), ops.str());
}

Status Agent::replace_mirror_identity(net::TlsIdentity identity) {
  if (!parts_.mirror_tls) return invalid("tls_identity_invalid", "the mirror serves plain HTTP");
  return parts_.mirror_tls->replace_identity(std::move(identity));
}

net::Task<void> Agent::stop(Duration grace) {
  security::OperatorKey::withdraw(parts_.store.directory());
  const SteadyTime until = clock_.steady() + grace;
  const auto left = [&] { return std::max(until - clock_.steady(), Duration::zero()); };
  if (mirror_) co_await mirror_->stop(left());
  co_await proxy_handler_.stop(left());
  if (proxy_) co_await proxy_->stop(left());
  co_await tasks_.stop();
  co_await small_.stop();
  co_await downloads_.stop();
  if (const auto link = cluster_.link(); link && link->engine) co_await link->engine->stop();
  cluster_.set(nullptr);
}

}  // namespace convoy::agent
