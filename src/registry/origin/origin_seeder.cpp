#include "registry/origin/origin_seeder.hpp"

#include <algorithm>
#include <utility>

#include "crypto/hash.hpp"
#include "registry/origin/blob_piece_io.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxWaiting = 4096;
constexpr std::size_t kForgottenAtOnce = 256;  // so that others have their turn in the pool
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
                           std::vector<crypto::Certificate> roots, OriginLimits limits)
    : needs_(std::move(needs)),
      cluster_(std::move(cluster)),
      identity_(std::move(identity)),
      tracker_(std::move(tracker)),
      tls_(std::move(tls)),
      upload_(std::move(upload)),
      roots_(std::move(roots)),
      limits_(limits),
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
  auto job = [this] { return needs_.meta.torrents(cluster_.name, limits_.known); };
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
  Status accepted = accept(std::move(*enrolment));
  if (accepted) needs_.log.info("enrolled as origin", {{"cluster", cluster_.name}});
  co_return accepted;
}

Status OriginSeeder::accept(clients::Enrolment enrolment) {
  Status done = identity_.accept(enrolment, needs_.clock.wall());
  if (done) done = use_identity();
  if (!done) return done;
  unsaved_ = std::move(enrolment);
  if (!std::exchange(saving_, true)) tasks_.spawn([this] { return save_identity(); });
  return {};
}

Status OriginSeeder::use_identity() {
  in_use_ = false;
  // The engine first: it may refuse, and the tracker is then still asked as before.
  if (engine_) {
    if (auto done = engine_->replace_identity(identity_.tls()); !done) return done;
  }
  if (tls_) {
    if (auto done = tls_->replace_identity(identity_.tls()); !done) return done;
  }
  in_use_ = true;
  return {};
}

net::Task<void> OriginSeeder::save_identity() {
  while (unsaved_) {
    const clients::Enrolment enrolment = *std::exchange(unsaved_, std::nullopt);
    auto job = [this, &enrolment] { return identity_.save(enrolment); };
    Status done = co_await needs_.pool.run(std::move(job));
    if (done) continue;
    needs_.log.error(
        "origin certificate cannot be saved",
        {{"cluster", cluster_.name},
         {"code", done.error().code()},
         {"detail", done.error().detail()},
         {"hint",
          "let the registry write to the cluster's state directory, on a disk with room; "
          "it tries again, but a restart before may need a new join token"}});
    if (!unsaved_) unsaved_ = enrolment;
    const bool awake = co_await net::sleep_for(limits_.save_retry);
    if (!awake) co_return;
  }
  saving_ = false;
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
    options.kernel_tls = needs_.kernel_tls;
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
  co_return accept(std::move(*enrolment));
}

net::Task<void> OriginSeeder::keep_renewed() {
  Duration retry = kFirstRetry;
  for (;;) {
    const Duration left = identity_.renew_at() - needs_.clock.wall();
    if (in_use_ && left > Duration::zero()) {
      const bool awake = co_await net::sleep_for(std::min(left, kLongestNap));
      if (!awake) co_return;
      continue;
    }
    Status done = identity_.valid(needs_.clock.wall()) ? Status() : Status(unauthorized("expired"));
    if (done) {
      done = co_await renew_once();
    } else {
      done = co_await enrol_once();
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
  // The latest seen comes first.
  for (auto it = torrents.rbegin(); it != torrents.rend(); ++it) {
    const std::string now = bt::short_hex(info_hash_of(it->meta, identity_.root()));
    if (now == it->short_hex) {
      known_.use(it->short_hex, it->meta);
    } else {
      // After a change of the cluster's root the old info-hashes mean nothing any more.
      give_up(it->short_hex);
    }
  }
}

std::string OriginSeeder::remember(const bt::BlobMeta& meta) {
  std::string short_hex = bt::short_hex(info_hash_of(meta, identity_.root()));
  if (known_.find(short_hex) == nullptr && known_.size() >= limits_.known) {
    const auto loaded = [this](const std::string& hex) { return loaded_.contains(hex); };
    if (const auto oldest = known_.oldest(loaded)) give_up(*oldest);
  }
  known_.use(short_hex, meta);
  return short_hex;
}

/// From now on it is not known, and soon neither to the database.
void OriginSeeder::give_up(const std::string& short_hex) {
  known_.erase(short_hex);
  given_up_.push_back(short_hex);
  if (!std::exchange(forgetting_, true)) tasks_.spawn([this] { return forget_given_up(); });
}

net::Task<void> OriginSeeder::forget_given_up() {
  while (!given_up_.empty()) {
    const std::size_t rest = given_up_.size() - std::min(given_up_.size(), kForgottenAtOnce);
    const auto first = given_up_.begin() + static_cast<std::ptrdiff_t>(rest);
    const std::vector<std::string> some(first, given_up_.end());
    given_up_.resize(rest);
    auto job = [this, &some] { return forget(some); };
    Status done = co_await needs_.pool.run(std::move(job));
    if (!done) {
      needs_.log.warn("blobs that are seeded no more were not forgotten",
                      {{"cluster", cluster_.name},
                       {"code", done.error().code()},
                       {"detail", done.error().detail()}});
    }
    for (const auto& short_hex : some) {
      // Asked for again meanwhile, but written down perhaps before it was forgotten.
      if (known_.find(short_hex) == nullptr) continue;
      tasks_.spawn([this, short_hex] { return add(short_hex); });
    }
  }
  forgetting_ = false;
}

/// Blocks.
Status OriginSeeder::forget(const std::vector<std::string>& short_hexes) {
  for (const auto& short_hex : short_hexes) {
    auto done = needs_.meta.forget_torrent(cluster_.name, short_hex);
    if (!done) return done;
  }
  return {};
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
  for (const auto& short_hex : known_.of(digest)) {
    unload(short_hex);
    give_up(short_hex);
  }
}

net::Task<void> OriginSeeder::add(std::string short_hex) {
  const bt::BlobMeta* known = known_.find(short_hex);
  if (known == nullptr) co_return;
  storage::RememberedTorrent torrent{short_hex, *known};
  auto job = [this, &torrent]() -> Result<std::vector<Hash256>> {
    auto kept = needs_.meta.remember_torrent(cluster_.name, torrent, needs_.clock.wall());
    if (!kept) return std::move(kept).error();
    return needs_.blobs.leaves(torrent.meta.digest);
  };
  auto leaves = co_await needs_.pool.run(std::move(job));
  if (known_.find(short_hex) == nullptr) {
    // Given up meanwhile, but written down perhaps after it was forgotten.
    give_up(short_hex);
    co_return;
  }
  if (!leaves) {
    needs_.log.error("blob cannot be seeded", {{"digest", torrent.meta.digest.str()},
                                               {"code", leaves.error().code()},
                                               {"detail", leaves.error().detail()}});
    if (leaves.error().kind() == ErrorClass::not_found) drop(torrent.meta.digest);
    co_return;
  }
  add_torrent(short_hex, std::move(*leaves));
}

bool OriginSeeder::add_now(const std::string& short_hex) {
  const bt::BlobMeta* known = known_.find(short_hex);
  if (known == nullptr) return false;
  auto leaves = needs_.blobs.leaves(known->digest);
  if (leaves) {
    known_.use(short_hex, *known);
    return add_torrent(short_hex, std::move(*leaves));
  }
  if (leaves.error().kind() == ErrorClass::not_found) {
    give_up(short_hex);
  } else {
    known_.erase(short_hex);
  }
  return false;
}

bool OriginSeeder::add_torrent(const std::string& short_hex, std::vector<Hash256> leaves) {
  if (loaded_.contains(short_hex)) return true;
  const bt::BlobMeta* known = known_.find(short_hex);
  if (known == nullptr || !engine_) return false;
  make_room();
  const bt::BlobMeta& meta = *known;
  const bt::InfoHash info_hash = info_hash_of(meta, identity_.root());
  swarm::Renew renew = [this, digest = meta.digest, hex = to_hex(info_hash)](bool) {
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
  if (loaded_.size() < limits_.loaded) return;
  auto oldest = loaded_.end();
  for (auto it = loaded_.begin(); it != loaded_.end(); ++it) {
    if (it->second.torrent->stats().peers > 0) continue;
    if (oldest == loaded_.end() || it->second.turn < oldest->second.turn) oldest = it;
  }
  if (oldest != loaded_.end()) unload(std::string(oldest->first));
}

void OriginSeeder::unload(const std::string& short_hex) {
  const auto it = loaded_.find(short_hex);
  if (it == loaded_.end()) return;
  const bt::InfoHash info_hash = info_hash_of(it->second.torrent->meta(), identity_.root());
  loaded_.erase(it);
  if (engine_) engine_->remove(info_hash);
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
