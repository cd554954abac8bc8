#include "registry/origin/origin_seeder.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "registry/origin/blob_piece_io.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxWaiting = 4096;
constexpr std::size_t kMaxKnown = 100'000;  // some 150 bytes each
constexpr std::size_t kMaxLoaded = 512;     // each holds its Merkle leaves
constexpr Duration kCallTimeout = std::chrono::seconds(10);
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLastRetry = std::chrono::minutes(1);
constexpr Duration kLongestNap = std::chrono::minutes(10);
constexpr Duration kRenewalGap = std::chrono::seconds(10);  // however short the certificates are

Duration next_retry(Duration d) { return std::min(d * 2, kLastRetry); }

bt::InfoHash info_hash_of(const bt::BlobMeta& meta, const crypto::Certificate& root) {
  return crypto::sha256(bt::encode_info(meta, root.pem()));
}

}  // namespace

OriginSeeder::OriginSeeder(Needs needs, ClusterOptions cluster, OriginIdentity identity,
                           std::unique_ptr<clients::TrackerClient> tracker,
                           std::shared_ptr<net::TlsClientContext> tls,
                           std::shared_ptr<net::RateLimiter> upload,
                           std::vector<crypto::Certificate> roots)
    : needs_(std::move(needs)),
      cluster_(std::move(cluster)),
      identity_(std::move(identity)),
      tracker_(std::move(tracker)),
      tls_(std::move(tls)),
      upload_(std::move(upload)),
      roots_(std::move(roots)),
      tasks_(needs_.executor) {}

OriginSeeder::~OriginSeeder() = default;

void OriginSeeder::start() {
  tasks_.spawn([this] { return run(); });
}

net::Task<void> OriginSeeder::stop() {
  co_await tasks_.stop();
  loaded_.clear();
  if (engine_) co_await engine_->stop();
  engine_.reset();
}

std::optional<net::Endpoint> OriginSeeder::endpoint() const {
  if (!engine_) return std::nullopt;
  return engine_->local();
}

net::Task<void> OriginSeeder::run() {
  auto job = [this] { return needs_.meta.torrents(cluster_.name, kMaxKnown); };
  auto remembered = co_await needs_.pool.run(std::move(job));
  const bool enrolled = co_await enrol();
  if (!enrolled || !start_engine()) co_return;
  if (remembered) recall(*remembered);
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& [digest, meta] : waiting) load(meta);
  tasks_.spawn([this] { return keep_registered(); });
  tasks_.spawn([this] { return keep_renewed(); });
}

net::Task<bool> OriginSeeder::enrol() {
  Duration retry = kFirstRetry;
  while (!identity_.valid(needs_.clock.wall())) {
    Status done = co_await enrol_once();
    if (done) break;
    needs_.log.warn("enrolment with the tracker failed", {{"cluster", cluster_.name},
                                                          {"code", done.error().code()},
                                                          {"detail", done.error().detail()}});
    const bool awake = co_await net::sleep_for(retry);
    if (!awake) co_return false;
    retry = next_retry(retry);
  }
  co_return true;
}

net::Task<Status> OriginSeeder::enrol_once() {
  if (cluster_.join_token.empty()) {
    co_return unauthorized("join_token_missing", "no certificate and no join token");
  }
  clients::EnrolRequest request{cluster_.join_token, cluster_.node_name,
                                identity_.csr(cluster_.node_name), cluster_.zone};
  const Deadline deadline = Deadline::in(needs_.clock, kCallTimeout);
  auto enrolment = co_await tracker_->enrol(std::move(request), deadline);
  if (!enrolment) co_return std::move(enrolment).error();
  Status accepted = identity_.accept(*enrolment, needs_.clock.wall());
  if (accepted) needs_.log.info("enrolled as origin", {{"cluster", cluster_.name}});
  co_return accepted;
}

Status OriginSeeder::use_identity() {
  if (tls_) {
    if (auto done = tls_->replace_identity(identity_.tls()); !done) return done;
  }
  if (engine_) return engine_->replace_identity(identity_.tls());
  return {};
}

bool OriginSeeder::start_engine() {
  Status used = use_identity();
  if (used) {
    swarm::EngineOptions options;
    options.identity = identity_.tls();
    options.roots = roots_;
    options.cluster = cluster_.name;
    options.listen = cluster_.peers;
    options.bind_ip = cluster_.bind_ip;
    options.upload = upload_;
    options.expected_rate = upload_ ? upload_->rate() : 0;
    auto engine = swarm::Engine::make(needs_.executor, needs_.pool, std::move(options),
                                      needs_.clock, needs_.random, needs_.audit, needs_.metrics,
                                      needs_.log.module("swarm"));
    if (engine) {
      engine_ = std::move(*engine);
      engine_->on_unknown(
          [this](std::string_view short_hex) { return add_now(std::string(short_hex)); });
      needs_.log.info("origin seeder listens",
                      {{"cluster", cluster_.name}, {"endpoint", engine_->local().str()}});
      return true;
    }
    used = std::move(engine).error();
  }
  needs_.log.error("origin seeder cannot start", {{"cluster", cluster_.name},
                                                  {"code", used.error().code()},
                                                  {"detail", used.error().detail()}});
  return false;
}

net::Task<Status> OriginSeeder::renew_once() {
  std::string csr = identity_.csr(cluster_.node_name);
  const Deadline deadline = Deadline::in(needs_.clock, kCallTimeout);
  auto enrolment = co_await tracker_->renew(std::move(csr), deadline);
  if (!enrolment) co_return std::move(enrolment).error();
  Status accepted = identity_.accept(*enrolment, needs_.clock.wall());
  if (!accepted) co_return accepted;
  co_return use_identity();
}

net::Task<void> OriginSeeder::keep_renewed() {
  Duration retry = kFirstRetry;
  for (;;) {
    const Duration left = identity_.renew_at() - needs_.clock.wall();
    if (left > Duration::zero()) {
      const bool awake = co_await net::sleep_for(std::min(left, kLongestNap));
      if (!awake) co_return;
      continue;
    }
    Status done = identity_.valid(needs_.clock.wall()) ? Status() : Status(unauthorized("expired"));
    if (done) {
      done = co_await renew_once();
    } else {
      done = co_await enrol_once();
      if (done) done = use_identity();
    }
    Duration wait = kRenewalGap;
    if (done) {
      retry = kFirstRetry;
      needs_.log.info("origin certificate renewed", {{"cluster", cluster_.name}});
    } else {
      wait = retry;
      retry = next_retry(retry);
      needs_.log.warn("origin certificate not renewed", {{"cluster", cluster_.name},
                                                         {"code", done.error().code()},
                                                         {"detail", done.error().detail()}});
    }
    const bool awake = co_await net::sleep_for(wait);
    if (!awake) co_return;
  }
}

net::Task<void> OriginSeeder::keep_registered() {
  Duration retry = kFirstRetry;
  for (;;) {
    clients::OriginRegistration registration;
    registration.registry = cluster_.registry_host;
    registration.zone = cluster_.zone;
    registration.port =
        cluster_.advertised_port != 0 ? cluster_.advertised_port : engine_->local().port;
    const Deadline deadline = Deadline::in(needs_.clock, kCallTimeout);
    auto interval = co_await tracker_->register_origin(std::move(registration), deadline);
    Duration wait = retry;
    if (interval) {
      wait = std::clamp<Duration>(*interval, std::chrono::seconds(1), kLongestNap);
      retry = kFirstRetry;
    } else {
      needs_.log.warn("the tracker does not know this origin",
                      {{"cluster", cluster_.name},
                       {"code", interval.error().code()},
                       {"detail", interval.error().detail()}});
      retry = next_retry(retry);
    }
    const bool awake = co_await net::sleep_for(wait);
    if (!awake) co_return;
  }
}

void OriginSeeder::recall(const std::vector<storage::RememberedTorrent>& torrents) {
  for (const auto& torrent : torrents) {
    // After a change of the cluster's root the old info-hashes mean nothing any more.
    const std::string now = bt::short_hex(info_hash_of(torrent.meta, identity_.root()));
    if (now == torrent.short_hex) known_.emplace(torrent.short_hex, torrent.meta);
  }
}

std::string OriginSeeder::remember(const bt::BlobMeta& meta) {
  std::string short_hex = bt::short_hex(info_hash_of(meta, identity_.root()));
  if (known_.size() < kMaxKnown) known_.try_emplace(short_hex, meta);
  return short_hex;
}

void OriginSeeder::load(const bt::BlobMeta& meta) {
  if (!engine_) {
    if (waiting_.size() < kMaxWaiting) waiting_.insert_or_assign(meta.digest, meta);
    return;
  }
  std::string short_hex = remember(meta);
  const auto it = loaded_.find(short_hex);
  if (it != loaded_.end()) {
    it->second.turn = ++turn_;
    return;
  }
  tasks_.spawn([this, short_hex] { return add(short_hex); });
}

void OriginSeeder::drop(const oci::Digest& digest) {
  waiting_.erase(digest);
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.digest != digest) {
      ++it;
      continue;
    }
    if (loaded_.erase(it->first) > 0 && engine_) {
      engine_->remove(info_hash_of(it->second, identity_.root()));
    }
    it = known_.erase(it);
  }
}

net::Task<void> OriginSeeder::add(std::string short_hex) {
  const auto it = known_.find(short_hex);
  if (it == known_.end()) co_return;
  storage::RememberedTorrent torrent{short_hex, it->second};
  auto job = [this, &torrent]() -> Result<std::vector<Hash256>> {
    auto kept = needs_.meta.remember_torrent(cluster_.name, torrent, needs_.clock.wall());
    if (!kept) return std::move(kept).error();
    return needs_.blobs.leaves(torrent.meta.digest);
  };
  auto leaves = co_await needs_.pool.run(std::move(job));
  if (!leaves) {
    needs_.log.error("blob cannot be seeded", {{"digest", torrent.meta.digest.str()},
                                               {"code", leaves.error().code()},
                                               {"detail", leaves.error().detail()}});
    co_return;
  }
  add_torrent(short_hex, std::move(*leaves));
}

bool OriginSeeder::add_now(const std::string& short_hex) {
  const auto it = known_.find(short_hex);
  if (it == known_.end()) return false;
  auto leaves = needs_.blobs.leaves(it->second.digest);
  if (!leaves) {
    known_.erase(it);
    return false;
  }
  return add_torrent(short_hex, std::move(*leaves));
}

bool OriginSeeder::add_torrent(const std::string& short_hex, std::vector<Hash256> leaves) {
  if (loaded_.contains(short_hex)) return true;
  const auto it = known_.find(short_hex);
  if (it == known_.end() || !engine_) return false;
  make_room();
  const bt::BlobMeta& meta = it->second;
  const bt::InfoHash info_hash = info_hash_of(meta, identity_.root());
  swarm::Renew renew = [this, digest = meta.digest, hex = to_hex(info_hash)] {
    return grant(digest, hex);
  };
  swarm::TorrentSpec spec{.meta = meta,
                          .info_hash = info_hash,
                          .io = std::make_shared<BlobPieceIo>(needs_.blobs, meta.digest),
                          .have = {},
                          .leaves = std::move(leaves),
                          .origin = true,
                          .grant = {},
                          .renew = std::move(renew),
                          .report = {},
                          .request_id = "origin"};
  auto torrent = engine_->add(std::move(spec));
  if (!torrent) {
    needs_.log.error("blob cannot be seeded", {{"digest", meta.digest.str()},
                                               {"code", torrent.error().code()},
                                               {"detail", torrent.error().detail()}});
    return false;
  }
  loaded_.emplace(short_hex, Loaded{std::move(*torrent), ++turn_});
  return true;
}

void OriginSeeder::make_room() {
  if (loaded_.size() < kMaxLoaded) return;
  auto oldest = loaded_.end();
  for (auto it = loaded_.begin(); it != loaded_.end(); ++it) {
    if (it->second.torrent->stats().peers > 0) continue;
    if (oldest == loaded_.end() || it->second.turn < oldest->second.turn) oldest = it;
  }
  if (oldest == loaded_.end()) return;
  const bt::InfoHash info_hash = info_hash_of(oldest->second.torrent->meta(), identity_.root());
  loaded_.erase(oldest);
  engine_->remove(info_hash);
}

net::Task<Result<swarm::Grant>> OriginSeeder::grant(oci::Digest digest, std::string info_hash) {
  clients::TicketRequest request{cluster_.registry_host, {}, digest, {}, {}, 0, "origin"};
  request.act.push_back("seed");
  request.zone = cluster_.zone;
  request.port = cluster_.advertised_port != 0 ? cluster_.advertised_port : engine_->local().port;
  const Deadline deadline = Deadline::in(needs_.clock, kCallTimeout);
  auto reply = co_await tracker_->ticket(std::move(request), deadline);
  if (!reply) co_return std::move(reply).error();
  if (reply->info_hash != info_hash) co_return corrupt("ticket_wrong_blob", "info-hash");
  swarm::Grant out;
  out.ticket = std::move(reply->ticket);
  out.expires_in = reply->expires_in;
  out.interval = reply->interval;
  out.zone = std::move(reply->zone);
  // Peers find the origin by the tracker; it never dials.
  co_return std::move(out);
}

}  // namespace convoy::registry
