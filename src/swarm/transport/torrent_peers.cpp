#include <algorithm>

#include "swarm/core/limits.hpp"
#include "swarm/transport/torrent.hpp"

// Who this torrent talks to, and with which ticket.
namespace convoy::swarm {
namespace {

constexpr std::chrono::seconds kLeeway{60};  // ticket.md: a connection's end after `exp`
constexpr Duration kTicketPatience = std::chrono::seconds(4);
constexpr Duration kSimultaneous = std::chrono::seconds(2);
constexpr Duration kPeersAgain = std::chrono::seconds(5);
constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
constexpr Duration kLastRetry = std::chrono::seconds(30);
constexpr Duration kNever = std::chrono::hours(24);
constexpr std::size_t kFewPeers = 4;
constexpr std::size_t kMaxDials = 8;
constexpr std::size_t kMaxDialled = 40;
constexpr std::uint32_t kForeignQueue = 250;  // libtorrent's default "reqq"

}  // namespace

std::shared_ptr<Connection> TorrentImpl::find(core::PeerRef ref) const {
  const auto it = peers_.find(ref);
  return it == peers_.end() ? nullptr : it->second;
}

std::shared_ptr<Connection> TorrentImpl::find_node(const std::string& node) const {
  for (const auto& [ref, conn] : peers_) {
    if (conn->peer().node == node && !conn->closed()) return conn;
  }
  return nullptr;
}

GateTorrent TorrentImpl::gate(bool incoming) const {
  return {spec_.info_hash, spec_.meta.digest, spec_.grant.ticket,
          ticket_expires_, spec_.request_id,  env_.now() - began_,
          incoming};
}

/// Of two connections of one pair both sides must keep the same one.
Status TorrentImpl::resolve_duplicate(const Admitted& fresh) {
  const auto old = find_node(fresh.peer.node);
  if (old == nullptr) return {};
  const auto dialler = [&](bool outgoing) { return outgoing ? env_.self : fresh.peer.node; };
  const bool restarted = old->peer_id() != fresh.peer_id || old->identity() != fresh.identity;
  const bool again = old->outgoing() == fresh.outgoing;
  const bool simultaneous = env_.now() - old->since() < kSimultaneous;
  const bool wins = simultaneous && dialler(fresh.outgoing) < dialler(old->outgoing());
  if (!restarted && !again && !wins) return conflict("peer_duplicate");
  old->close(conflict("peer_replaced"));
  return {};
}

Status TorrentImpl::admit(Admitted a) {
  if (stopped_) return cancelled("torrent_stopped");
  if (core_.banned(a.peer.node)) return denied("peer_banned");
  if (peers_.size() >= (spec_.origin ? kMaxOriginPeers : kMaxPeers)) return exhausted("peer_limit");
  if (auto unique = resolve_duplicate(a); !unique) return unique;
  const core::PeerRef ref = ++last_ref_;
  core::PeerInfo info{a.peer.node, a.peer.origin,
                      std::clamp<std::uint32_t>(a.extension.max_requests.value_or(kForeignQueue), 1,
                                                core::kMaxQueuedRequests),
                      a.zone != spec_.grant.zone,
                      std::chrono::milliseconds(a.extension.age_ms.value_or(0))};
  security::AuditEvent event;
  event.action = "peer.grant";
  event.outcome = security::AuditOutcome::granted;
  event.actor = event.node = a.peer.node;
  event.remote_ip = a.stream->remote().ip;
  event.digest = spec_.meta.digest.str();
  event.request_id = spec_.request_id;
  event.extra = {{"direction", a.outgoing ? "out" : "in"},
                 {"info_hash", bt::short_hex(spec_.info_hash)},
                 {"zone", a.zone.str()},
                 {"peer_request_id", a.extension.request_id}};
  env_.audit.record(std::move(event));
  log_.info("peer connected", {{"peer", a.peer.node},
                               {"ip", a.stream->remote().ip},
                               {"direction", a.outgoing ? "out" : "in"},
                               {"peer_request_id", a.extension.request_id}});
  env_.metrics.peers.add(1);
  const auto conn =
      std::make_shared<Connection>(env_, shared_from_this(), cache_, ref, std::move(a));
  peers_[ref] = conn;
  book_.node_connected(info.node);
  // The tracker may name it to us as it named us to it: one connection is enough.
  if (!conn->outgoing() && conn->extension().listen_port) {
    const bt::PeerEndpoint address{conn->remote().ip, *conn->extension().listen_port};
    book_.add(address, info.origin, env_.now());
    book_.reached(address, info.node, env_.now());
  }
  core_.connected(ref, std::move(info), env_.now());
  conn->start();  // may handle at once what came behind the gate
  act();
  tick_now_.notify_all();
  return {};
}

void TorrentImpl::drop_expired() {
  const UnixTime now = env_.clock.wall();
  const Peers peers = peers_;
  for (const auto& [ref, conn] : peers) {
    if (conn->closed() || now <= conn->ticket_expires() + kLeeway) continue;
    const Error why = unauthorized("ticket_expired");
    dialer_.refused(why, conn->remote().ip, conn->peer().node, spec_.meta, spec_.request_id);
    conn->close(why);
  }
}

// Dialling.

bool TorrentImpl::wants_peers() const {
  return !stopped_ && !core_.complete() && peers_.size() < kFewPeers;
}

void TorrentImpl::dial_more() {
  if (stopped_ || core_.complete() || dialling_ >= kMaxDials) return;
  if (peers_.size() + dialling_ >= kMaxDialled) return;
  for (const auto& address : book_.due(kMaxDials - dialling_, env_.now())) {
    ++dialling_;
    env_.tasks.spawn([self = shared_from_this(), address] { return self->dial(address); });
  }
}

net::Task<void> TorrentImpl::dial(bt::PeerEndpoint address) {
  const auto self = shared_from_this();
  Error why = unavailable("ticket_missing", "no ticket of our own");
  std::string node;
  const bool ready = co_await ensure_ticket();
  if (ready && !stopped_) {
    auto result = co_await dialer_.dial(address, gate(false));
    if (result) {
      node = result->peer.node;
      const Status taken = admit(std::move(*result));
      why = taken ? Error(ErrorClass::conflict, "") : taken.error();
    } else {
      why = result.error();
    }
  }
  --dialling_;
  if (!node.empty() && find_node(node) != nullptr) {
    book_.reached(address, node, env_.now());
  } else if (why.code() == "gate_self" || why.code() == "peer_banned") {
    book_.forget(address);
  } else {
    const bool trouble = why.kind() == ErrorClass::unavailable ||
                         why.kind() == ErrorClass::timeout || why.kind() == ErrorClass::cancelled ||
                         why.kind() == ErrorClass::conflict;
    if (!trouble) dialer_.refused(why, address.ip, node, spec_.meta, spec_.request_id);
    log_.debug("peer not reached", {{"ip", address.ip},
                                    {"port", address.port},
                                    {"reason", why.code()},
                                    {"detail", why.detail()}});
    book_.failed(address, env_.now());
  }
  tick_now_.notify_all();
}

// Tickets.

bool TorrentImpl::ticket_fresh() const {
#ifdef CONVOY_TEST_OPEN_GATE
  return true;
#else
  return !spec_.grant.ticket.empty() && ticket_identity_ == env_.identity &&
         env_.now() < ticket_expires_;
#endif
}

net::Task<bool> TorrentImpl::ensure_ticket() {
  const auto self = shared_from_this();
  const SteadyTime until = env_.now() + kTicketPatience;
  while (!ticket_fresh() && spec_.renew && !stopped_ && env_.now() < until) {
    ask_renewal(true);
    const bool told = co_await renewed_.wait(until - env_.now());
    if (!told) break;
  }
  co_return ticket_fresh();
}

void TorrentImpl::ask_renewal(bool urgent) {
  if (renew_wanted_ || renewing_) return;
  if (!urgent && env_.now() - renewed_at_ < kPeersAgain) return;
  // After failures the next try has its time, however much it is wanted.
  if (renew_failures_ > 0 && env_.now() < renewed_at_ + renewal_wait()) return;
  renew_wanted_ = true;
  renew_now_.notify_all();
}

Duration TorrentImpl::renewal_wait() const {
  if (renew_failures_ > 0) {
    return std::min(kLastRetry, kFirstRetry * (1 << std::min<std::uint32_t>(renew_failures_, 10)));
  }
  // An origin needs a ticket only while somebody is there.
  if (spec_.origin && peers_.empty()) return kNever;
  if (!ticket_fresh()) return Duration::zero();
  const Duration left = ticket_expires_ - env_.now();
  const Duration half = std::min<Duration>(left, spec_.grant.expires_in) / 2;
  return std::max<Duration>(std::min<Duration>(half, spec_.grant.interval),
                            std::chrono::seconds(1));
}

void TorrentImpl::take(const Grant& grant) {
  if (!grant.ticket.empty()) {
    spec_.grant = grant;
    ticket_expires_ = env_.now() + grant.expires_in;
    ticket_identity_ = env_.identity;
  }
  spec_.grant.interval = grant.interval;
  core_.set_place({grant.zone_index, grant.zone_count});
  // Not all nodes begin with the same peers.
  std::vector<SwarmPeer> peers = grant.peers;
  for (std::size_t i = peers.size(); i > 1; --i)
    std::swap(peers[i - 1], peers[env_.random.below(i)]);
  for (const SwarmPeer& p : peers) book_.add(p.address, p.origin, env_.now());
  show_ticket();
}

/// Tickets are long: one will do until half of its time is over.
bool TorrentImpl::lasts(SteadyTime expires) const {
  return ticket_fresh() && expires - env_.now() > spec_.grant.expires_in / 2;
}

/// To all who have seen none that lasts.
void TorrentImpl::show_ticket() {
  if (!ticket_fresh()) return;
  for (const auto& [ref, conn] : peers_) {
    // It is bound to the certificate that this node shows now, not to an earlier one.
    if (conn->identity() != env_.identity || lasts(conn->shown_until())) continue;
    if (conn->shown_until() < ticket_expires_) {
      conn->show_ticket(spec_.grant.ticket, ticket_expires_);
    }
  }
}

void TorrentImpl::identity_replaced() { ask_renewal(true); }

net::Task<void> TorrentImpl::keep_ticket() {
  const auto self = shared_from_this();
  renewed_at_ = env_.now();
  while (!stopped_) {
    const Duration wait = renewal_wait();
    if (!renew_wanted_ && wait > Duration::zero()) {
      const bool told = co_await renew_now_.wait(wait);
      if (stopped_) break;
      if (!told && env_.now() < renewed_at_ + wait) break;  // cancelled
      if (!told && spec_.origin && peers_.empty()) continue;
    }
    renew_wanted_ = false;
    renewing_ = true;
    net::Task<Result<Grant>> call = spec_.renew(!lasts(ticket_expires_));
    const Result<Grant> grant = co_await std::move(call);
    renewing_ = false;
    renewed_at_ = env_.now();
    if (grant) {
      renew_failures_ = 0;
      take(*grant);
    } else {
      ++renew_failures_;
      log_.warn("ticket not renewed",
                {{"reason", grant.error().code()}, {"detail", grant.error().detail()}});
    }
    renewed_.notify_all();
    tick_now_.notify_all();
  }
}

}  // namespace convoy::swarm
