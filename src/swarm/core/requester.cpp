#include "swarm/core/requester.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "swarm/core/late.hpp"
#include "swarm/core/news.hpp"
#include "swarm/core/picker.hpp"

namespace convoy::swarm::core {
namespace {

constexpr double kBaseBlocks = 8;
/// What slow links keep in their queues. A constant, for what is measured there is what others ask
/// for: nodes that follow it ask for more and more (ADR 13).
constexpr double kQueueSeconds = 0.06;
constexpr double kMostInQueues = 64;
constexpr double kMaxBlocks = 1024;
/// The event loops' own turnaround; matters only on very fast links.
constexpr Duration kTurnaround = std::chrono::milliseconds(1);
constexpr Duration kStall = std::chrono::seconds(1);
/// How long a piece that can be had in another zone may be missed at home: so long, time for so
/// many pieces, for it comes from neighbour to neighbour, and so many times what a request over the
/// border takes.
constexpr Duration kMissed = std::chrono::seconds(1);
constexpr int kMissedRequests = 4;
constexpr Duration kMostTaken = std::chrono::seconds(8);
constexpr double kMissedPieces = 8;
/// A request that waits so many times longer than all of them together should take stands in a
/// queue of its peer; it does not count among those on their way, so that others are asked.
constexpr double kPatience = 1.2;
/// Late requests in one look: what is on its way already comes twice.
constexpr int kMostMoves = 8;

/// What is asked of one peer at once: as much as arrives in this time, for a message, a read and a
/// write each have a cost of their own.
constexpr double kRunSeconds = 0.004;
constexpr std::size_t kMaxRun = 16;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

double Requester::bdp(double rate) const {
  if (rate <= 0) return 0;
  const double block_time = bt::kBlockSize / rate;
  const auto blocks = s_.block_times();
  const double rtt = blocks ? std::max(0.0, seconds(blocks->least) - block_time) : 0;
  return rate * (rtt + seconds(kTurnaround)) / bt::kBlockSize;
}

Requester::Pace Requester::pace(Instant now) const {
  const double rate = s_.down_rate(now);
  Pace out;
  const double bdp = this->bdp(rate);
  const auto blocks = static_cast<std::size_t>(rate * kRunSeconds / bt::kBlockSize);
  out.row = std::bit_floor(std::clamp<std::size_t>(blocks, 1, kMaxRun));
  const double base = kBaseBlocks * static_cast<double>(out.row);
  out.total = static_cast<std::size_t>(std::min(kMaxBlocks, base + bdp));
  const double queued = std::min(kMostInQueues, rate * kQueueSeconds / bt::kBlockSize);
  out.owed = std::max(base, queued) + 2 * bdp;
  if (rate > 0) {
    const std::chrono::duration<double> all(static_cast<double>(out.total) * bt::kBlockSize / rate);
    out.patience = std::chrono::duration_cast<Duration>(kPatience * all);
  }
  if (s_.yields()) out.row = out.total = 1;
  return out;
}

bool Requester::limits_allow(const Peer& peer, Instant now) {
  const Duration wait = s_.held_back(peer, now);
  if (wait == Duration::zero()) return true;
  held_until_ = std::min(held_until_.value_or(Instant::max()), now + wait);
  return false;
}

void Requester::refill(Instant now) {
  held_until_.reset();
  if (!s_.knows_layer() || s_.pieces.complete()) return;
  const auto [row, total, owed, patience] = pace(now);
  const Instant oldest = now - patience;
  if (s_.border.any()) look_over_border(now);
  std::size_t open = 0, interesting = 0;
  for (const auto& p : s_.peers) {
    if (p->info.origin) {
      if (!p->choking && !p->offers.empty()) take_offers(*p, now);
      continue;
    }
    open += static_cast<std::size_t>(std::count_if(
        p->open.begin(), p->open.end(), [&](const OpenRequest& r) { return r.asked >= oldest; }));
    if (p->useful > 0) ++interesting;
  }
  if (open >= total || interesting == 0) return;
  const auto share =
      static_cast<std::size_t>(1 + std::lround(owed / static_cast<double>(interesting)));
  const std::size_t cap = std::max({share, (total + interesting - 1) / interesting, row});
  const auto may_take = [cap](const Peer& p) {
    const std::size_t most = p.stalled ? 1 : std::min<std::size_t>(cap, p.info.max_requests);
    return !p.info.origin && !p.choking && p.useful > 0 && p.open.size() < most;
  };
  std::vector<Peer*> free;
  for (const auto& p : s_.peers) {
    if (may_take(*p)) free.push_back(p.get());
  }
  while (open < total && !free.empty() && limits_allow(*free.front(), now)) {
    const bool may_start = s_.pieces.actives().size() < s_.max_active();
    const auto choice = choose(s_, free, may_start, now);
    if (!choice) return;
    ActivePiece* active = begin(choice->piece);
    if (active->single_source) active->source = choice->peer->ref;
    for (std::size_t i = 0; i < row && active->unasked > 0 && may_take(*choice->peer); ++i) {
      if (!limits_allow(*choice->peer, now)) return;
      ask(*choice->peer, *active, active->next_free(), now);
      ++open;
    }
    if (!may_take(*choice->peer)) std::erase(free, choice->peer);
  }
}

void Requester::look_over_border(Instant now) {
  std::uint32_t near = 0;
  Duration news{};
  std::optional<Duration> answer;
  for (const auto& p : s_.peers) {
    if (!p->info.other_zone && !p->info.origin) ++near;
    // What the origin gave to a neighbour may be known across before it is known here.
    if (!p->info.other_zone && p->info.origin) news = news_wait(s_, now);
    if (!p->far() || (!p->latency.least() && p->open.empty())) continue;
    // The first answers over a thin line are long in coming.
    const Duration waits = p->open.empty() ? Duration{} : now - p->open.front().asked;
    const Duration takes = std::min(std::max(p->latency.average(), waits), kMostTaken);
    answer = std::min(answer.value_or(Duration::max()), takes);
  }
  Duration missed = kMissed;
  if (const double rate = s_.down_rate(now); rate > 0) {
    const std::chrono::duration<double> pieces(kMissedPieces * s_.config.meta.piece_length / rate);
    missed = std::max(missed, std::chrono::duration_cast<Duration>(pieces));
  }
  s_.border.look(now, near, missed + kMissedRequests * answer.value_or(Duration{}), news);
}

void Requester::take_offers(Peer& origin, Instant now) {
  std::erase_if(origin.offers, [this](std::uint32_t piece) { return s_.pieces.has(piece); });
  const std::size_t most = s_.yields() ? 1 : origin.info.max_requests;
  for (const std::uint32_t piece : origin.offers) {
    ActivePiece* active = s_.pieces.active(piece);
    if (active == nullptr) {
      if (s_.pieces.actives().size() >= s_.max_active() || !limits_allow(origin, now)) return;
      active = begin(piece);
    }
    if (active->single_source) {
      if (active->source == 0) active->source = origin.ref;
      if (active->source != origin.ref) continue;
    }
    while (active->unasked > 0 && origin.open.size() < most) {
      if (!limits_allow(origin, now)) return;
      ask(origin, *active, active->next_free(), now);
    }
  }
}

ActivePiece* Requester::begin(std::uint32_t piece) {
  if (ActivePiece* active = s_.pieces.active(piece)) return active;
  ActivePiece& active = s_.pieces.start(piece);
  active.single_source = s_.failed_before.contains(piece);
  return &active;
}

void Requester::ask(Peer& peer, ActivePiece& active, std::uint32_t block, Instant now) {
  active.ask(block);
  if (peer.open.empty()) peer.last_block = std::max(peer.last_block, now);
  peer.open.push_back({active.piece, block, now});
  peer.asked = ++s_.turn;
  const bt::BlockRef what = s_.pieces.block(active.piece, block);
  s_.charge(peer, what.length);
  s_.send(peer, bt::RequestBlock{what});
}

Arrival Requester::arrived(Peer& peer, std::uint32_t piece, std::uint32_t begin,
                           std::uint32_t length, Instant now) {
  if (piece >= s_.pieces.count() || begin % bt::kBlockSize != 0) return Arrival::unsolicited;
  const std::uint32_t block = begin / bt::kBlockSize;
  if (block >= s_.pieces.blocks_in(piece) || s_.pieces.block(piece, block).length != length) {
    return Arrival::unsolicited;
  }
  const auto it = std::find_if(peer.open.begin(), peer.open.end(), [&](const OpenRequest& r) {
    return r.piece == piece && r.block == block;
  });
  const bool asked = it != peer.open.end();
  if (!asked && peer.forgiven < length) return Arrival::unsolicited;
  peer.last_block = now;
  peer.stalled = false;
  s_.down.add(length, now);
  ActivePiece* active = s_.pieces.active(piece);
  if (asked) {
    peer.latency.add(now - it->asked, now);
    peer.open.erase(it);
    if (active != nullptr) active->unask(block);
  } else {
    peer.forgiven -= length;
  }
  if (active == nullptr || active->blocks[block].received) return Arrival::redundant;
  if (active->single_source && active->source != peer.ref) return Arrival::redundant;
  active->receive(block, peer.name);
  if (active->blocks[block].requests == 0) return Arrival::stored;
  for (const auto& other : s_.peers) {  // asked of somebody else too, after a stall
    const auto dup = std::find_if(other->open.begin(), other->open.end(), [&](const auto& r) {
      return r.piece == piece && r.block == block;
    });
    if (dup == other->open.end()) continue;
    other->open.erase(dup);
    active->unask(block);
    other->forgiven += length;
    s_.send(*other, bt::CancelBlock{s_.pieces.block(piece, block)});
  }
  return Arrival::stored;
}

bool Requester::rejected(Peer& peer, const bt::BlockRef& b) {
  const auto it = std::find_if(peer.open.begin(), peer.open.end(), [&](const OpenRequest& r) {
    return s_.pieces.block(r.piece, r.block) == b;
  });
  if (it == peer.open.end()) {
    if (peer.forgiven < b.length) return false;  // no more was charged
    peer.forgiven -= b.length;
    s_.refund(peer, b.length);
    return false;
  }
  s_.refund(peer, b.length);
  if (ActivePiece* active = s_.pieces.active(it->piece)) active->unask(it->block);
  peer.open.erase(it);
  return true;
}

void Requester::release(Peer& peer, bool cancel) {
  for (const OpenRequest& r : peer.open) give_up(peer, r, cancel);
  peer.open.clear();
  for (const std::uint32_t piece : bound_to(peer)) unbind(peer, piece);
}

std::vector<std::uint32_t> Requester::bound_to(const Peer& peer) const {
  std::vector<std::uint32_t> bound;
  for (const auto& a : s_.pieces.actives()) {
    if (a->single_source && a->source == peer.ref && !a->verifying) bound.push_back(a->piece);
  }
  return bound;
}

void Requester::unbind(Peer& peer, std::uint32_t piece) {
  const ActivePiece* active = s_.pieces.active(piece);
  if (active == nullptr || !active->single_source || active->source != peer.ref) return;
  if (active->verifying) return;
  std::erase_if(peer.open, [&](const OpenRequest& r) {
    if (r.piece != piece) return false;
    give_up(peer, r, true);
    return true;
  });
  s_.pieces.abandon(piece);
  s_.out.push_back(ReleasePiece{piece});
}

void Requester::give_up(Peer& peer, const OpenRequest& r, bool cancel) {
  if (ActivePiece* active = s_.pieces.active(r.piece)) active->unask(r.block);
  if (!cancel) return;
  s_.send(peer, bt::CancelBlock{s_.pieces.block(r.piece, r.block)});
  peer.forgiven += s_.length_of(r);
}

bool Requester::someone_else_has(const Peer& peer, std::uint32_t piece) const {
  return std::any_of(s_.peers.begin(), s_.peers.end(), [&](const auto& p) {
    return p.get() != &peer && p->serves(piece) && (!p->far() || s_.border.mine(piece));
  });
}

void Requester::check_stalls(Instant now) {
  const Duration usually = s_.block_times().value_or(BlockTimes{}).usual;
  for (const auto& p : s_.peers) {
    if (p->open.empty()) continue;
    const Instant since = std::max(p->open.front().asked, p->last_block);
    const Duration takes = p->latency.least() ? p->latency.average() : usually;
    if (now - since < kStall + 4 * takes) continue;
    p->stalled = true;
    std::vector<OpenRequest> keep;
    for (const OpenRequest& r : p->open) {
      if (someone_else_has(*p, r.piece)) {
        give_up(*p, r, true);
      } else {
        keep.push_back(r);
      }
    }
    p->open = std::move(keep);
    for (const std::uint32_t piece : bound_to(*p)) {
      if (someone_else_has(*p, piece)) unbind(*p, piece);
    }
  }
}

void Requester::move_late(Instant now) {
  for (int moves = 0; moves < kMostMoves; ++moves) {
    const auto move = late_request(s_, now);
    if (!move || !limits_allow(*move->to, now)) return;
    const auto [piece, block, asked] = move->request;
    std::erase_if(move->from->open,
                  [&](const OpenRequest& r) { return r.piece == piece && r.block == block; });
    give_up(*move->from, move->request, true);
    ask(*move->to, *s_.pieces.active(piece), block, now);
  }
}

}  // namespace convoy::swarm::core
