#include <algorithm>
#include <numeric>

#include "sim/crowd.hpp"
#include "support/swarm_core.hpp"

// Starting, stopping, the tracker and dialling, with the times of swarm/transport and agent/fetch.
namespace convoy::sim {
namespace {

namespace core = swarm::core;
using namespace std::chrono_literals;

constexpr Duration kTrackerWork = 2ms;
constexpr Duration kHandshakeWork = 1ms;
/// TCP, TLS 1.3 and the gate: so many times the delay of one way.
constexpr int kHandshakeWays = 5;
constexpr Duration kTrackerRest = 5s;  ///< a node that never had a ticket asks again
constexpr Duration kFirstRetry = 500ms, kLastRetry = 30s;
constexpr Duration kPeersAgain = 5s;
constexpr std::size_t kFewPeers = 4;
constexpr std::size_t kMaxDials = 8, kMaxDialled = 40, kMaxOriginPeers = 256;
constexpr std::uint32_t kQueue = 2048;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

Crowd::Crowd(const SwarmOptions& o, Random& random)
    : options_(o),
      random_(random),
      blobs_(blobs_of(o)),
      events_(o.nodes + 1),
      links_(o, random),
      tracker_(o, random),
      nodes_(o.nodes + 1) {
  for (const Blob& blob : blobs_) totals_.bytes += blob.meta.size;
  totals_.ideal = static_cast<double>(totals_.bytes) / static_cast<double>(o.rate);
}

void Crowd::start(std::uint32_t i) {
  Node& n = nodes_[i];
  if (n.alive) return;
  const bool corrupt = n.corrupt;
  n = Node{};
  n.corrupt = corrupt;
  n.alive = true;
  n.start = now();
  n.result.node = i;
  n.result.start = seconds(now().time_since_epoch());
  n.seats.resize(blobs_.size());
  n.turns.resize(blobs_.size());
  std::iota(n.turns.begin(), n.turns.end(), 0U);
  if (i != 0) {
    n.missing = static_cast<std::uint32_t>(blobs_.size());
    ++downloading_;
  }
  for (std::uint32_t b = 0; b < blobs_.size(); ++b) make_core(i, b);
  for (std::uint32_t b = 0; b < blobs_.size(); ++b) open_seat(i, b);
}

void Crowd::make_core(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  const Blob& blob = blobs_[b];
  core::SwarmConfig c{.meta = blob.meta, .origin = i == 0};
  if (i == 0) {
    c.have.assign(blob.meta.piece_count(), true);
    c.layer = blob.layer;
  }
  c.pair = test::toy_pair;
  c.seed = random_.next();
  s.core = std::make_unique<core::Swarm>(std::move(c));
  s.book = std::make_unique<core::PeerBook>(random_.next());
  s.done = i == 0;
}

void Crowd::open_seat(std::uint32_t i, std::uint32_t b) {
  if (i != 0) {
    seat(i, b).core->set_reader(1, 0, now());
    call_tracker(i, b);
  }
  tick(i, b);
}

void Crowd::stop(std::uint32_t i) {
  Node& n = nodes_[i];
  if (!n.alive) return;
  n.alive = false;
  if (n.missing > 0) --downloading_;
  events_.end_life(i);
  for (std::uint32_t b = 0; b < n.seats.size(); ++b) {
    for (const std::uint32_t other : n.seats[b].peers) part(other, b, i);
  }
  n.seats.clear();
}

void Crowd::tick(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  const Duration again = s.core->tick(now());
  act(i, b);
  if (i != 0) {
    dial_more(i, b);
    const bool few = s.peers.size() < kFewPeers && !s.core->complete() && s.known;
    if (now() >= s.next_call || (few && now() - s.last_call >= kPeersAgain)) call_tracker(i, b);
  }
  Instant next = now() + again;
  if (i != 0) next = std::min(next, std::max(s.book->next_due(next), now() + 10ms));
  events_.at(next, i, [this, i, b, turn = ++s.ticks] {
    if (seat(i, b).ticks == turn) tick(i, b);
  });
}

void Crowd::call_tracker(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  s.next_call = Instant::max();
  s.last_call = now();
  events_.at(now() + 2 * options_.delay + kTrackerWork, i, [this, i, b] { answered(i, b); });
}

void Crowd::answered(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  const auto answer = tracker_.call(i, links_.zone(i), b, now());
  if (!answer) {
    s.next_call =
        now() + (s.known ? std::min(kLastRetry, kFirstRetry * (1 << std::min(s.failures, 10U)))
                         : kTrackerRest);
    ++s.failures;
    return;
  }
  s.known = true;
  s.failures = 0;
  s.next_call = now() + answer->interval;
  s.core->set_place(answer->place);
  for (const auto& [other, origin] : answer->peers) {
    if (other != i) s.book->add(address_of(other), origin, now());
  }
  dial_more(i, b);
}

void Crowd::dial_more(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  if (s.core->complete() || s.dialling >= kMaxDials) return;
  if (s.peers.size() + s.dialling >= kMaxDialled) return;
  for (const auto& address : s.book->due(kMaxDials - s.dialling, now())) {
    const std::uint32_t other = node_at(address);
    ++s.dialling;
    const Duration took = kHandshakeWays * options_.delay + kHandshakeWork;
    events_.at(now() + took, i, [this, i, b, other] { dialled(i, b, other); });
  }
}

bool Crowd::reachable(std::uint32_t i, std::uint32_t b, std::uint32_t other) const {
  const Node& n = nodes_[other];
  if (!n.alive || cuts_.contains(std::minmax(i, other))) return false;
  return other != 0 || n.seats[b].peers.size() < kMaxOriginPeers;
}

void Crowd::dialled(std::uint32_t i, std::uint32_t b, std::uint32_t other) {
  Seat& s = seat(i, b);
  --s.dialling;
  const bool banned = s.core->banned(name_of(other)) ||
                      (reachable(i, b, other) && seat(other, b).core->banned(name_of(i)));
  if (banned) {
    s.book->forget(address_of(other));
  } else if (s.peers.contains(other)) {
    s.book->reached(address_of(other), name_of(other), now());
  } else if (!reachable(i, b, other)) {
    s.book->failed(address_of(other), now());
  } else {
    s.book->reached(address_of(other), name_of(other), now());
    connect(i, b, other);
    connect(other, b, i);
    tick(i, b);
    tick(other, b);
  }
  dial_more(i, b);
}

void Crowd::connect(std::uint32_t i, std::uint32_t b, std::uint32_t other) {
  Seat& s = seat(i, b);
  s.peers.insert(other);
  s.book->node_connected(name_of(other));
  core::PeerInfo info{name_of(other), other == 0, kQueue, links_.zone(i) != links_.zone(other),
                      now() - nodes_[other].start};
  s.core->connected(other + 1, std::move(info), now());
}

/// The node learns a moment later that the other one has gone.
void Crowd::part(std::uint32_t i, std::uint32_t b, std::uint32_t other) {
  if (!nodes_[i].alive) return;
  events_.at(now() + options_.delay, i, [this, i, b, other] { gone(i, b, other); });
}

void Crowd::gone(std::uint32_t i, std::uint32_t b, std::uint32_t other) {
  Seat& s = seat(i, b);
  if (s.peers.erase(other) == 0) return;
  s.held.erase(other);
  s.core->closed(other + 1, now());
  s.book->node_gone(name_of(other), now());
  tick(i, b);
}

SwarmResult Crowd::result() const {
  SwarmResult out = totals_;
  for (std::uint32_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].alive) out.nodes.push_back(nodes_[i].result);
  }
  out.border_bytes = links_.over_border();
  return out;
}

}  // namespace convoy::sim
