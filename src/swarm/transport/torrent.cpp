#include "swarm/transport/torrent.hpp"

#include <algorithm>
#include <utility>

#include "crypto/hash.hpp"

namespace convoy::swarm {
namespace {

/// For so long after its last reader a blob counts among those that this node takes part in: the
/// layers of one image end one after the other, everywhere.
constexpr Duration kFresh = std::chrono::seconds(30);

core::SwarmConfig core_config(const TorrentSpec& spec, Env& env, std::uint64_t rate) {
  core::SwarmConfig c{.meta = spec.meta, .have = spec.have, .origin = spec.origin};
  const bool seeds = spec.origin || !spec.leaves.empty();
  if (c.have.empty() && seeds) c.have.assign(spec.meta.piece_count(), true);
  c.pair = crypto::sha256_pair;
  c.seed = env.random.next();
  c.expected_rate = rate;
  c.traffic = env.traffic;
  return c;
}

}  // namespace

TorrentImpl::TorrentImpl(Env& env, Dialer& dialer, TorrentSpec spec, std::uint64_t expected_rate)
    : env_(env),
      dialer_(dialer),
      spec_(std::move(spec)),
      log_(env.log.with({{"request_id", spec_.request_id}, {"digest", spec_.meta.digest.str()}})),
      core_(core_config(spec_, env, expected_rate)),
      book_(env.random.next()),
      buffers_(spec_.meta),
      cache_(std::make_shared<ReadCache>(env.executor, env.pool, env.tasks, spec_.meta, spec_.io)),
      last_read_(env.now()),
      progress_(env.executor),
      renewed_(env.executor),
      renew_now_(env.executor),
      tick_now_(env.executor),
      limits_changed_(env.executor),
      renewed_at_(env.now()),
      began_(env.now()) {
  take(spec_.grant);
}

void TorrentImpl::start() {
  env_.tasks.spawn([self = shared_from_this()] { return self->run_ticks(); });
  if (spec_.renew) env_.tasks.spawn([self = shared_from_this()] { return self->keep_ticket(); });
  if (!spec_.leaves.empty() && core_.complete() && core_.layer().empty()) {
    env_.tasks.spawn([self = shared_from_this()] { return self->compute_layer(); });
  }
  log_.info("torrent started", {{"info_hash", bt::short_hex(spec_.info_hash)},
                                {"pieces", spec_.meta.piece_count()},
                                {"have", core_.have_count()},
                                {"peers_known", book_.size()}});
}

void TorrentImpl::stop() {
  if (stopped_) return;
  stopped_ = true;
  const Peers peers = peers_;
  for (const auto& [ref, conn] : peers) conn->close(cancelled("torrent_stopped"));
  note_readers();
  limits_changed_.notify_all();
  progress_.notify_all();
  renewed_.notify_all();
  renew_now_.notify_all();
  tick_now_.notify_all();
  cache_->drop();
}

std::uint64_t TorrentImpl::readable_from(std::uint64_t offset) const {
  return core_.readable_from(offset);
}

net::Task<bool> TorrentImpl::wait_readable(std::uint64_t offset, Duration timeout) {
  const auto self = shared_from_this();
  const SteadyTime until = env_.now() + timeout;
  while (core_.readable_from(offset) == 0) {
    const Duration left = until - env_.now();
    if (stopped_ || left <= Duration::zero() || offset >= spec_.meta.size) co_return false;
    const bool told = co_await progress_.wait(left);
    if (!told) co_return core_.readable_from(offset) > 0;
  }
  co_return true;
}

std::uint64_t TorrentImpl::add_reader(std::uint64_t offset) {
  const std::uint64_t id = ++last_reader_;
  readers_.insert(id);
  core_.set_reader(id, offset, env_.now());
  act();
  return id;
}

void TorrentImpl::move_reader(std::uint64_t reader, std::uint64_t offset) {
  core_.set_reader(reader, offset, env_.now());
  act();
}

void TorrentImpl::remove_reader(std::uint64_t reader) {
  readers_.erase(reader);
  last_read_ = env_.now();
  core_.remove_reader(reader);
  note_readers();
}

/// Whether somebody waits here, for all torrents to know.
void TorrentImpl::note_readers() {
  const bool waits = !stopped_ && !readers_.empty() && !core_.complete();
  if (waits == std::exchange(counts_as_waiting_, waits)) return;
  env_.traffic->waiting += waits ? 1U : -1U;
}

bool TorrentImpl::background() const {
  return readers_.empty() && env_.now() - last_read_ >= kFresh;
}

TorrentStats TorrentImpl::stats() const {
  const auto& c = core_.counts();
  return {c.from_origin,   c.from_peers, c.over_border,
          c.uploaded,      c.redundant,  static_cast<std::uint32_t>(peers_.size()),
          core_.complete()};
}

void TorrentImpl::merge(const TorrentSpec& spec) {
  if (spec.renew && !spec_.renew) {
    spec_.renew = spec.renew;
    env_.tasks.spawn([self = shared_from_this()] { return self->keep_ticket(); });
  }
  take(spec.grant);
}

// What comes from a connection.

bool TorrentImpl::allowed(Connection& conn, const bt::Message& m) {
  const auto& may = conn.actions();
  const bool takes = std::holds_alternative<bt::RequestBlock>(m);
  const bool gives = std::holds_alternative<bt::Have>(m) ||
                     std::holds_alternative<bt::HaveAll>(m) ||
                     std::holds_alternative<bt::Bitfield>(m);
  if ((!takes || may.leech) && (!gives || may.seed)) return true;
  const Error why = denied("ticket_wrong_action");
  dialer_.refused(why, conn.remote().ip, conn.peer().node, spec_.meta, spec_.request_id);
  conn.close(why);
  return false;
}

bool TorrentImpl::on_message(Connection& conn, const bt::Message& m) {
  if (stopped_) return false;
  if (const auto* block = std::get_if<bt::PieceBlock>(&m)) return on_block(conn, *block);
  if (const auto* extended = std::get_if<bt::Extended>(&m)) return on_extended(conn, *extended);
  if (!allowed(conn, m)) return false;
  core_.received(conn.ref(), m, env_.now());
  if (const auto* request = std::get_if<bt::RequestBlock>(&m)) {
    const bt::BlockRef& b = request->block;
    if (b.piece < spec_.meta.piece_count() && core_.has(b.piece) &&
        b.begin < spec_.meta.piece_size(b.piece) && !conn.closed()) {
      cache_->prefetch(b);
    }
  }
  act();
  return !conn.closed();
}

bool TorrentImpl::on_block(Connection& conn, const bt::PieceBlock& b) {
  const auto length = static_cast<std::uint32_t>(b.data.size());
  const auto what = core_.block(conn.ref(), b.piece, b.begin, length, env_.now());
  if (what == core::Arrival::stored) buffers_.put(b.piece, b.begin, b.data);
  act();
  return !conn.closed();
}

bool TorrentImpl::on_extended(Connection& conn, const bt::Extended& e) {
  if (e.id == kTicketId) return on_ticket(conn, as_text(e.payload));
  if (e.id == kDontHaveId && e.payload.size() == 4) {
    const std::uint32_t piece = std::uint32_t{e.payload[0]} << 24 |
                                std::uint32_t{e.payload[1]} << 16 |
                                std::uint32_t{e.payload[2]} << 8 | e.payload[3];
    core_.dont_have(conn.ref(), piece, env_.now());
    act();
  }
  return !conn.closed();
}

bool TorrentImpl::on_ticket(Connection& conn, std::string_view ticket) {
  if (ticket == conn.extension().ticket) return true;
  core_.ticket_shown(conn.ref(), env_.now());
  act();
  if (conn.closed()) return false;
  const auto facts = check_ticket(env_, ticket, conn.peer(), spec_.info_hash, spec_.meta.digest);
  if (facts) {
    conn.renew_ticket(*facts, ticket);
    return true;
  }
  dialer_.refused(facts.error(), conn.remote().ip, conn.peer().node, spec_.meta, spec_.request_id);
  conn.close(facts.error());
  return false;
}

void TorrentImpl::on_batch() {
  cache_->launch();
  count_bytes();
}

void TorrentImpl::on_sent(Connection& conn, const std::vector<bt::BlockRef>& blocks,
                          std::uint64_t ticket) {
  std::uint64_t bytes = 0;
  for (const auto& b : blocks) {
    core_.block_sent(conn.ref(), b, env_.now());
    bytes += b.length;
  }
  act();
  count_bytes();
  env_.uplink.done(ticket, bytes);
}

void TorrentImpl::on_hashes_sent(Connection& conn, std::size_t answers) {
  for (std::size_t i = 0; i < answers; ++i) core_.hashes_sent(conn.ref());
  act();
}

void TorrentImpl::on_closed(Connection& conn, const Error& why) {
  log_.info("peer gone", {{"peer", conn.peer().node},
                          {"reason", why.code()},
                          {"detail", why.detail()},
                          {"ip", conn.remote().ip}});
  env_.metrics.peers.add(-1);
  const std::string node = conn.peer().node;
  core_.closed(conn.ref(), env_.now());
  peers_.erase(conn.ref());
  if (find_node(node) == nullptr) book_.node_gone(node, env_.now());
  act();
  tick_now_.notify_all();
}

std::uint64_t TorrentImpl::send_next(std::uint64_t ticket, std::uint64_t quantum) {
  if (stopped_) return 0;
  for (;;) {
    const auto first = core_.next_block(env_.now());
    if (!first) return 0;
    const auto conn = find(first->peer);
    if (conn == nullptr || conn->closed()) continue;  // is about to leave the core, too
    std::vector<bt::BlockRef> blocks{first->block};
    std::uint64_t bytes = first->block.length;
    while (bytes < quantum) {
      const auto more = core_.more_for(first->peer, env_.now());
      if (!more) break;
      blocks.push_back(more->block);
      bytes += more->block.length;
    }
    conn->send_blocks(std::move(blocks), ticket);
    if (spec_.origin) act();  // an offer goes along
    return bytes;
  }
}

// What the core wants done.

void TorrentImpl::act() {
  if (acting_) return;
  acting_ = true;
  for (auto actions = core_.take_actions(); !actions.empty(); actions = core_.take_actions()) {
    for (auto& action : actions) {
      std::visit([this](auto& a) { carry_out(a); }, action);
    }
  }
  acting_ = false;
  note_readers();
  if (core_.has_uploads(env_.now())) env_.uplink.wake(shared_from_this());
  resume_when_due();
}

void TorrentImpl::resume_when_due() {
  const auto due = core_.held_until(env_.now());
  if (!due || stopped_) return;
  if (std::exchange(resuming_, true)) {
    if (*due < resume_due_) limits_changed_.notify_all();
    return;
  }
  resume_due_ = *due;
  env_.tasks.spawn([self = shared_from_this(), at = *due] { return self->resume_at(at); });
}

net::Task<void> TorrentImpl::resume_at(core::Instant due) {
  const auto self = shared_from_this();
  const Duration wait = std::max<Duration>(due - env_.now(), std::chrono::milliseconds(1));
  static_cast<void>(co_await limits_changed_.wait(wait));
  resuming_ = false;
  if (stopped_) co_return;
  core_.tick(env_.now());
  act();
}

void TorrentImpl::limits_changed() { limits_changed_.notify_all(); }

void TorrentImpl::carry_out(core::SendMessage& a) {
  const auto conn = find(a.peer);
  if (conn != nullptr && !conn->closed()) return conn->send(a.message, a.wait);
  // Nobody will say that they have left.
  if (std::holds_alternative<bt::Hashes>(a.message)) core_.hashes_sent(a.peer);
}

void TorrentImpl::carry_out(core::VerifyPiece& a) {
  PieceBuffer buffer = buffers_.take(a.piece);
  if (buffer == nullptr) return core_.lost(a.piece, env_.now());
  arrived_.insert_or_assign(a.piece, std::move(buffer));
  if (std::exchange(verifying_, true)) return;
  env_.tasks.spawn([self = shared_from_this()] { return self->verify_arrived(); });
}

void TorrentImpl::carry_out(core::ReleasePiece& a) { buffers_.release(a.piece); }

void TorrentImpl::carry_out(core::DropPeer& a) {
  const auto conn = find(a.peer);
  if (conn == nullptr) return;
  const Error why = denied(a.code, a.detail);
  if (a.banned) {
    env_.metrics.banned.add();
    log_.warn("peer banned", {{"peer", a.node}, {"reason", a.code}});
  }
  const bool harmless = a.code == "both_complete" || a.code == "peer_silent";
  if (!harmless) {
    dialer_.refused(why, conn->remote().ip, a.node, spec_.meta, spec_.request_id);
  }
  conn->close(why);
}

void TorrentImpl::carry_out(core::ReportPeer& a) {
  log_.warn("piece was wrong", {{"peer", a.node}, {"piece", a.piece}});
  security::AuditEvent event;
  event.action = "peer.corrupt";
  event.outcome = security::AuditOutcome::observed;
  event.node = a.node;
  event.digest = spec_.meta.digest.str();
  event.reason = "corrupt_piece";
  event.request_id = spec_.request_id;
  event.extra = {{"piece", std::to_string(a.piece)}};
  env_.audit.record(std::move(event));
  if (!spec_.report) return;
  env_.tasks.spawn([self = shared_from_this(), node = a.node, piece = a.piece] {
    return self->report(node, piece);
  });
}

void TorrentImpl::carry_out(core::ComputeLayer&) {
  env_.tasks.spawn([self = shared_from_this()] { return self->compute_layer(); });
}

void TorrentImpl::carry_out(core::ReadLeaves& a) {
  env_.tasks.spawn([self = shared_from_this(), a] { return self->read_leaves(a); });
}

void TorrentImpl::carry_out(core::Completed&) {
  const auto s = stats();
  log_.info("torrent complete", {{"from_origin", s.from_origin},
                                 {"from_peers", s.from_peers},
                                 {"over_border", s.over_border},
                                 {"redundant", s.redundant},
                                 {"peers", s.peers}});
  buffers_.trim();
}

void TorrentImpl::count_bytes() {
  const auto& now = core_.counts();
  auto& m = env_.metrics;
  const auto add = [](net::Counter& c, std::uint64_t before, std::uint64_t after) {
    if (after != before) c.add(static_cast<double>(after - before));
  };
  add(m.from_origin, counted_.from_origin, now.from_origin);
  add(m.from_peers, counted_.from_peers, now.from_peers);
  add(m.over_border, counted_.over_border, now.over_border);
  add(m.redundant, counted_.redundant, now.redundant);
  add(m.uploaded, counted_.uploaded, now.uploaded);
  counted_ = now;
}

net::Task<void> TorrentImpl::run_ticks() {
  const auto self = shared_from_this();
  while (!stopped_) {
    const SteadyTime now = env_.now();
    drop_expired();
    show_ticket();
    Duration wait = core_.tick(now);
    act();
    dial_more();
    if (wants_peers()) ask_renewal(false);
    const SteadyTime due = book_.next_due(now + wait);
    wait = std::min(wait, std::max<Duration>(due - now, std::chrono::milliseconds(10)));
    static_cast<void>(co_await tick_now_.wait(wait));
  }
}

}  // namespace convoy::swarm
