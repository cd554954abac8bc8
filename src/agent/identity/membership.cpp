#include "agent/identity/membership.hpp"

#include <algorithm>

#include "crypto/certificate.hpp"
#include "net/task_group.hpp"
#include "security/ca/authority.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kPatience = std::chrono::seconds(15);
constexpr Duration kMaxRetry = std::chrono::minutes(1);
constexpr Duration kRefusedRetry = std::chrono::minutes(5);
// The wall clock may be set meanwhile, so no sleep is long.
constexpr Duration kMaxSleep = std::chrono::minutes(1);

}  // namespace

Membership::Membership(MembershipOptions options, NodeStore& store, net::WorkerPool& pool,
                       const Clock& clock, MakeTracker make_tracker, Joined joined, Logger log)
    : options_(std::move(options)),
      store_(store),
      pool_(pool),
      clock_(clock),
      make_tracker_(std::move(make_tracker)),
      joined_(std::move(joined)),
      log_(std::move(log)) {}

std::optional<std::string> Membership::not_ready() const {
  if (!certificate_) return trouble_;
  if (expired()) return "the node certificate has run out";
  return std::nullopt;
}

bool Membership::expired() const {
  return !certificate_ || clock_.wall() >= certificate_->not_after();
}

Duration Membership::due_in() const {
  const auto left = security::renew_at(*certificate_) - clock_.wall();
  return std::max<Duration>(left, Duration::zero());
}

net::Task<void> Membership::run() {
  NodeStore* store = &store_;
  std::string why;
  std::string* reason = &why;
  auto load = [store, reason] { return store->load(*reason); };
  identity_ = co_await pool_.run(std::move(load));
  if (!identity_) {
    log_.info("no node identity", {{"reason", why}});
  } else {
    clients::Enrolment known = identity_->enrolment;
    adopt(std::move(known), true);
  }
  Duration retry = options_.first_retry;
  for (;;) {
    if (!saved_) co_await save();
    Duration pause = Duration::zero();
    if (!expired() && due_in() > Duration::zero()) {
      pause = std::min(due_in(), saved_ ? kMaxSleep : options_.save_retry);
    } else {
      bool done = false;
      if (expired()) {
        done = co_await enrol();
      } else {
        done = co_await renew();
      }
      if (done) {
        retry = options_.first_retry;
        continue;
      }
      pause = retry;
      retry = std::min(retry * 2, kMaxRetry);
    }
    const bool awake = co_await net::sleep_for(pause);
    if (!awake) co_return;
  }
}

net::Task<bool> Membership::enrol() {
  if (options_.join_token.empty()) {
    trouble_ = "not enrolled, and no join token given";
    co_return false;
  }
  NodeStore* store = &store_;
  auto load_key = [store] { return store->key(); };
  auto key = co_await pool_.run(std::move(load_key));
  if (!key) {
    trouble_ = "no node key: " + key.error().text();
    log_.error("no node key", {{"reason", key.error().text()}});
    co_return false;
  }
  auto tracker = make_tracker_(std::nullopt);
  if (!tracker) {
    trouble_ = tracker.error().text();
    co_return false;
  }
  clients::EnrolRequest request{.token = options_.join_token,
                                .name = options_.name,
                                .csr_pem = crypto::make_csr(*key, options_.name),
                                .zone = options_.zone};
  auto enrolment = co_await (*tracker)->enrol(std::move(request), Deadline::in(clock_, kPatience));
  if (!enrolment) {
    trouble_ = "enrolment failed: " + enrolment.error().text();
    log_.warn("enrolment failed", {{"reason", enrolment.error().text()}});
    if (enrolment.error().kind() == ErrorClass::unauthorized ||
        enrolment.error().kind() == ErrorClass::denied) {
      // Asking again with the same token only looks like guessing.
      co_await net::sleep_for(kRefusedRetry);
    }
    co_return false;
  }
  identity_ = NodeIdentity{std::move(*key), *enrolment};
  co_return adopt(std::move(*enrolment), false);
}

net::Task<bool> Membership::renew() {
  if (!tracker_) co_return false;
  const auto tracker = tracker_;
  std::string csr = crypto::make_csr(identity_->key, options_.name);
  auto enrolment = co_await tracker->renew(std::move(csr), Deadline::in(clock_, kPatience));
  if (enrolment) enrolment->zone = identity_->enrolment.zone;  // told at enrolment alone
  if (!enrolment) {
    log_.warn("renewal of the node certificate failed", {{"reason", enrolment.error().text()}});
    co_return false;
  }
  co_return adopt(std::move(*enrolment), false);
}

bool Membership::adopt(clients::Enrolment enrolment, bool saved) {
  const auto chain = crypto::Certificate::chain_from_pem(enrolment.chain_pem);
  const bool ours =
      chain && chain->front().public_key().spki() == identity_->key.public_key().spki();
  if (!ours) {
    trouble_ = "the tracker's answer holds no certificate for this node's key";
    log_.error(trouble_);
    return false;
  }
  net::TlsIdentity identity{enrolment.chain_pem, identity_->key.to_pem()};
  auto tracker = make_tracker_(identity);
  if (!tracker) {
    trouble_ = tracker.error().text();
    return false;
  }
  identity_->enrolment = enrolment;
  saved_ = saved;
  certificate_ = chain->front();
  tracker_ = *tracker;
  trouble_.clear();
  log_.info("member of the cluster",
            {{"id", enrolment.id}, {"expires", to_rfc3339(certificate_->not_after())}});
  joined_(enrolment, std::move(identity), std::move(*tracker));
  return true;
}

net::Task<void> Membership::save() {
  NodeStore* into = &store_;
  auto job = [into, enrolment = identity_->enrolment] { return into->save(enrolment); };
  Status done = co_await pool_.run(std::move(job));
  saved_ = done.ok();
  if (saved_) co_return;
  log_.error("the node identity cannot be saved",
             {{"reason", done.error().text()},
              {"hint",
               "let the agent write to its data directory, on a disk with room; it tries "
               "again, but a restart before may need a new join token"}});
}

}  // namespace convoy::agent
