#include "sim/swarm_sim.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/random.hpp"

namespace convoy::sim {
namespace {

namespace core = swarm::core;
constexpr std::uint32_t kRecord = 22;  // what TLS adds to a record
constexpr std::uint32_t kBulk = 1024;  // a larger message waits like data

Hash256 toy_pair(const Hash256& a, const Hash256& b) {
  Hash256 out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(a[i] * 31 + b[(i + 7) % 32] * 17 + a[(i + 1) % 32] + 5);
  }
  return out;
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

struct SwarmSim::Impl {
  struct Node {
    std::unique_ptr<core::Swarm> swarm;
    std::set<std::uint32_t> neighbours;
    struct Held {
      std::vector<bt::Message> messages;
      Instant due = Instant::max();
    };
    std::map<std::uint32_t, Instant> heard;  // when the last message of each peer is taken
    std::map<std::uint32_t, Held> held;      // messages that wait for company
    std::vector<std::pair<std::uint32_t, bt::Message>> bulk;
    std::map<std::uint32_t, std::set<std::uint32_t>> tainted;  // piece -> wrong blocks
    std::uint64_t rate = 0;
    Instant up_free{}, down_free{}, start{};
    std::uint32_t life = 0;  // counts restarts: events of an earlier life are void
    bool alive = false, sending = false, corrupt = false, done = false;
    std::uint32_t readable = 0;
    double advanced = 0;  // when that last grew, seconds after the start
    NodeResult result;
  };
  /// Small, for the heap moves them about; what is to be done stands in `todo`.
  struct Event {
    Instant at;
    std::uint64_t number;
    std::uint32_t node, life, todo;
    bool operator<(const Event& o) const {
      return std::pair(at, number) > std::pair(o.at, o.number);
    }
  };

  explicit Impl(SwarmOptions o) : options(o), random(o.seed), nodes(o.nodes + 1) {
    for (std::uint32_t i = 0; i < meta.piece_count(); ++i) {
      Hash256 h{};
      for (std::size_t k = 0; k < 8; ++k) h[k] = static_cast<std::uint8_t>(i >> (k * 4));
      layer.push_back(h);
    }
    unsigned height = 0;
    while ((bt::kBlockSize << height) < o.piece_length) ++height;
    meta.pieces_root = bt::merkle_root(layer, bt::round_up_pow2(layer.size()),
                                       bt::pad_hash(height, toy_pair), toy_pair);
    for (auto& n : nodes) n.rate = o.rate;
    if (o.origin_rate != 0) nodes[0].rate = o.origin_rate;
    starts.resize(nodes.size());
    for (std::uint32_t i = 1; i < nodes.size(); ++i) {
      const auto spread = static_cast<std::uint64_t>(o.spread.count());
      starts[i] = Duration(spread == 0 ? 0 : static_cast<Duration::rep>(random.below(spread)));
    }
    link();
  }

  void link() {
    const std::uint32_t n = options.nodes;
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 1; i <= n; ++i) order.push_back(i);
    shuffle(order);
    for (std::uint32_t i = 0; i < std::min(n, options.origin_links); ++i) join(0, order[i]);
    if (n <= options.degree + 1) {
      for (std::uint32_t a = 1; a <= n; ++a) {
        for (std::uint32_t b = a + 1; b <= n; ++b) join(a, b);
      }
      return;
    }
    // A union of random rings is regular and connected.
    for (std::uint32_t ring = 0; ring < options.degree / 2; ++ring) {
      shuffle(order);
      for (std::uint32_t i = 0; i < n; ++i) join(order[i], order[(i + 1) % n]);
    }
  }
  void shuffle(std::vector<std::uint32_t>& v) {
    for (std::size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[random.below(i)]);
  }
  void join(std::uint32_t a, std::uint32_t b) {
    nodes[a].neighbours.insert(b);
    nodes[b].neighbours.insert(a);
  }

  void at(Instant when, std::uint32_t node, std::function<void()> run) {
    events.push({when, ++number, node, nodes[node].life, put(std::move(run))});
  }
  void at_any_life(Instant when, std::function<void()> run) {
    events.push({when, ++number, ~0U, 0, put(std::move(run))});
  }
  std::uint32_t put(std::function<void()> run) {
    if (free.empty()) {
      todo.push_back(std::move(run));
      return static_cast<std::uint32_t>(todo.size() - 1);
    }
    const std::uint32_t slot = free.back();
    free.pop_back();
    todo[slot] = std::move(run);
    return slot;
  }
  void run_next() {
    const Event e = events.top();
    events.pop();
    const auto run = std::exchange(todo[e.todo], nullptr);
    free.push_back(e.todo);
    now = e.at;
    if (e.node == ~0U || (nodes[e.node].alive && nodes[e.node].life == e.life)) run();
  }

  void start(std::uint32_t i) {
    Node& n = nodes[i];
    core::SwarmConfig c{.meta = meta, .origin = i == 0};
    if (i == 0) {
      c.have.assign(meta.piece_count(), true);
      c.layer = layer;
    }
    c.pair = toy_pair;
    c.seed = random.next();
    n.swarm = std::make_unique<core::Swarm>(std::move(c));
    n.alive = true;
    n.start = now;
    n.readable = 0;
    n.advanced = 0;
    n.done = i == 0;
    if (!n.done) ++downloading;
    n.result = {};
    n.result.start = seconds(now.time_since_epoch());
    if (i != 0) n.swarm->set_reader(1, 0, now);
    for (const std::uint32_t other : n.neighbours) {
      if (!nodes[other].alive) continue;
      connect(i, other);
      connect(other, i);
      act(other);
    }
    act(i);
    tick(i);
  }
  void connect(std::uint32_t i, std::uint32_t other) {
    nodes[i].swarm->connected(other + 1, {"node-" + std::to_string(other), other == 0, 2048}, now);
  }
  void stop(std::uint32_t i) {
    Node& n = nodes[i];
    if (!n.alive) return;
    n.alive = false;
    if (!n.done) --downloading;
    ++n.life;
    n.sending = false;
    n.held.clear();
    n.bulk.clear();
    for (const std::uint32_t other : n.neighbours) part(other, i);
  }
  void part(std::uint32_t i, std::uint32_t other) {
    if (!nodes[i].alive) return;
    at(now + options.delay, i, [this, i, other] {
      nodes[i].swarm->closed(other + 1, now);
      act(i);
    });
  }
  void tick(std::uint32_t i) {
    const Duration again = nodes[i].swarm->tick(now);
    act(i);
    at(now + again, i, [this, i] { tick(i); });
  }

  Duration time_of(std::uint64_t bytes, std::uint64_t rate) const {
    return Duration(static_cast<Duration::rep>(bytes * 1'000'000'000ULL / rate));
  }

  // Actions of a node, messages of one moment to one peer in one record.
  void act(std::uint32_t i) {
    Node& n = nodes[i];
    std::map<std::uint32_t, std::vector<bt::Message>> batch;
    for (auto& action : n.swarm->take_actions()) {
      if (auto* m = std::get_if<core::SendMessage>(&action)) {
        if (m->wait > Duration{}) {
          hold(i, m->peer - 1, std::move(m->message), now + m->wait);
        } else {
          batch[m->peer - 1].push_back(std::move(m->message));
        }
      } else if (const auto* v = std::get_if<core::VerifyPiece>(&action)) {
        at(now + options.verify, i, [this, i, piece = v->piece] { verify(i, piece); });
      } else if (const auto* d = std::get_if<core::DropPeer>(&action)) {
        part(d->peer - 1, i);
      } else if (const auto* r = std::get_if<core::ReportPeer>(&action)) {
        reports.push_back(r->node);
      } else if (const auto* l = std::get_if<core::ReadLeaves>(&action)) {
        std::vector<Hash256> leaves;
        n.swarm->leaves_read(l->peer, l->span, leaves, now);
      }
    }
    for (auto& [to, messages] : batch) flush(i, to, std::move(messages));
    upload(i);
  }
  void hold(std::uint32_t i, std::uint32_t to, bt::Message m, Instant due) {
    auto& held = nodes[i].held[to];
    held.messages.push_back(std::move(m));
    if (held.due <= due) return;
    held.due = due;
    at(due, i, [this, i, to, due] {
      if (nodes[i].held[to].due == due) flush(i, to, {});
    });
  }
  void flush(std::uint32_t i, std::uint32_t to, std::vector<bt::Message> messages) {
    Node& n = nodes[i];
    for (auto& m : std::exchange(n.held[to], {}).messages) messages.push_back(std::move(m));
    Bytes wire;
    std::vector<bt::Message> small;
    for (auto& m : messages) {
      Bytes one;
      bt::encode(m, one);
      if (one.size() > kBulk) {
        n.bulk.emplace_back(to, std::move(m));
        continue;
      }
      if (std::holds_alternative<bt::Hashes>(m)) n.swarm->hashes_sent(to + 1);
      wire.insert(wire.end(), one.begin(), one.end());
      small.push_back(std::move(m));
    }
    if (small.empty()) return;
    const std::uint64_t bytes = wire.size() + kRecord;
    control += bytes;
    n.up_free = std::max(n.up_free, now) + time_of(bytes, n.rate);
    deliver(i, to, bytes, (options.queues ? n.up_free : now) + options.delay, std::move(small));
  }
  void deliver(std::uint32_t i, std::uint32_t to, std::uint64_t bytes, Instant when,
               std::vector<bt::Message> messages) {
    Node& r = nodes[to];
    if (!r.alive) return;
    r.down_free = std::max(r.down_free, when) + time_of(bytes, r.rate);
    if (options.queues) when = r.down_free;
    if (options.react > Duration{}) {
      const auto most = static_cast<std::uint64_t>(2 * options.react.count());
      when += Duration(static_cast<Duration::rep>(random.below(most)));
      when = r.heard[i] = std::max(r.heard[i], when);
    }
    at(when, to, [this, i, to, messages = std::move(messages)] {
      for (const auto& m : messages) nodes[to].swarm->received(i + 1, m, now);
      act(to);
    });
  }

  void upload(std::uint32_t i) {
    Node& n = nodes[i];
    if (n.sending) return;
    if (n.up_free > now) {
      n.sending = true;
      at(n.up_free, i, [this, i] {
        nodes[i].sending = false;
        upload(i);
      });
      return;
    }
    if (!n.bulk.empty()) return upload_bulk(i);
    const auto next = n.swarm->next_block(now);
    if (!next) return;
    n.sending = true;
    const Duration took = time_of(next->block.length, n.rate);
    n.up_free = now + took;
    if (i == 0) origin_bytes += next->block.length;
    arrive(i, next->peer - 1, next->block);
    at(now + took, i, [this, i, u = *next] {
      nodes[i].sending = false;
      nodes[i].swarm->block_sent(u.peer, u.block, now);
      act(i);
    });
  }
  void upload_bulk(std::uint32_t i) {
    Node& n = nodes[i];
    const std::uint32_t to = n.bulk.front().first;
    bt::Message message = std::move(n.bulk.front().second);
    n.bulk.erase(n.bulk.begin());
    Bytes wire;
    bt::encode(message, wire);
    control += wire.size();
    if (i == 0) origin_bytes += wire.size();
    n.sending = true;
    const Duration took = time_of(wire.size(), n.rate);
    n.up_free = now + took;
    if (nodes[to].alive) deliver(i, to, wire.size(), now + took + options.delay, {message});
    at(n.up_free, i, [this, i, to] {
      nodes[i].sending = false;
      nodes[i].swarm->hashes_sent(to + 1);
      act(i);
    });
  }
  void arrive(std::uint32_t from, std::uint32_t to, bt::BlockRef b) {
    Node& r = nodes[to];
    if (!r.alive) return;
    const Instant begin = now + options.delay;
    const Instant end = std::max({begin + time_of(b.length, nodes[from].rate),
                                  std::max(begin, r.down_free) + time_of(b.length, r.rate)});
    r.down_free = std::max(r.down_free, begin) + time_of(b.length, r.rate);
    at(end, to, [this, from, to, b] {
      const auto what = nodes[to].swarm->block(from + 1, b.piece, b.begin, b.length, now);
      if (what == core::Arrival::stored) {
        auto& wrong = nodes[to].tainted[b.piece];
        if (nodes[from].corrupt) {
          wrong.insert(b.begin);
        } else {
          wrong.erase(b.begin);
        }
      }
      act(to);
    });
  }

  void verify(std::uint32_t i, std::uint32_t piece) {
    Node& n = nodes[i];
    std::vector<Hash256> leaves(meta.blocks_in(piece));
    for (const std::uint32_t begin : n.tainted[piece]) leaves[begin / bt::kBlockSize][0] = 1;
    if (!n.tainted[piece].empty()) {
      n.tainted.erase(piece);
      n.swarm->failed(piece, leaves, now);
      return act(i);
    }
    n.tainted.erase(piece);
    n.swarm->verified(piece, leaves, now);
    progress(n);
    act(i);
  }
  void progress(Node& n) {
    const double t = seconds(now - n.start);
    if (n.result.first < 0) n.result.first = t;
    const auto readable = static_cast<std::uint32_t>(
        (n.swarm->readable_from(0) + meta.piece_length - 1) / meta.piece_length);
    n.result.area += t * (readable - n.readable) / meta.piece_count();
    if (readable > n.readable) {
      n.result.pause = std::max(n.result.pause, t - n.advanced);
      n.advanced = t;
    }
    n.readable = readable;
    if (!n.swarm->complete() || n.done) return;
    n.done = true;
    --downloading;
    n.result.done = t;
    n.result.redundant = n.swarm->counts().redundant;
  }

  bool all_done() const { return pending_lives == 0 && downloading == 0; }

  SwarmOptions options;
  SeededRandom random;
  bt::BlobMeta meta{oci::Digest::sha256({}), options.size, options.piece_length, {}};
  std::vector<Hash256> layer;
  std::vector<Node> nodes;
  std::vector<Duration> starts;
  std::priority_queue<Event> events;
  std::vector<std::function<void()>> todo;
  std::vector<std::uint32_t> free;  // slots of it
  std::vector<std::string> reports;
  std::uint64_t number = 0, origin_bytes = 0, control = 0;
  int pending_lives = 0;
  std::uint32_t downloading = 0;
  Instant now{};
};

SwarmSim::SwarmSim(SwarmOptions o) : impl_(std::make_unique<Impl>(o)) {}
SwarmSim::~SwarmSim() = default;

void SwarmSim::kill(std::uint32_t node, Duration t) {
  impl_->at_any_life(Instant(t), [im = impl_.get(), node] { im->stop(node); });
}
void SwarmSim::revive(std::uint32_t node, Duration t) {
  ++impl_->pending_lives;
  impl_->at_any_life(Instant(t), [im = impl_.get(), node] {
    --im->pending_lives;
    im->start(node);
  });
}
void SwarmSim::start_at(std::uint32_t node, Duration t) { impl_->starts[node] = t; }
void SwarmSim::set_rate(std::uint32_t node, std::uint64_t rate) { impl_->nodes[node].rate = rate; }
void SwarmSim::corrupt(std::uint32_t node) { impl_->nodes[node].corrupt = true; }
void SwarmSim::cut(std::uint32_t a, std::uint32_t b) {
  impl_->nodes[a].neighbours.erase(b);
  impl_->nodes[b].neighbours.erase(a);
}
const std::vector<std::string>& SwarmSim::reported() const { return impl_->reports; }

SwarmResult SwarmSim::run() {
  Impl& im = *impl_;
  im.start(0);
  for (std::uint32_t i = 1; i < im.nodes.size(); ++i) {
    ++im.pending_lives;
    im.at_any_life(Instant(im.starts[i]), [&im, i] {
      --im.pending_lives;
      im.start(i);
    });
  }
  while (!im.events.empty() && !im.all_done()) {
    if (im.events.top().at - Instant{} > im.options.limit) break;
    im.run_next();
  }
  SwarmResult r;
  for (std::uint32_t i = 1; i < im.nodes.size(); ++i) {
    if (im.nodes[i].alive) r.nodes.push_back(im.nodes[i].result);
  }
  r.origin_bytes = im.origin_bytes;
  r.control_bytes = im.control;
  r.ideal = static_cast<double>(im.options.size) / static_cast<double>(im.options.rate);
  return r;
}

bool SwarmResult::complete() const {
  return std::all_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.done >= 0; });
}
double SwarmResult::makespan() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.done < 0 ? 1e9 : n.done);
  return worst / ideal;
}
double SwarmResult::median() const {
  std::vector<double> all;
  for (const auto& n : nodes) all.push_back(n.done);
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
                   all.end());
  return all[all.size() / 2] / ideal;
}
double SwarmResult::area() const {
  double sum = 0;
  for (const auto& n : nodes) sum += n.area;
  return sum / static_cast<double>(nodes.size()) / ideal;
}
double SwarmResult::worst_first() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.first);
  return worst;
}
double SwarmResult::worst_pause() const {
  double worst = 0;
  for (const auto& n : nodes) worst = std::max(worst, n.pause);
  return worst;
}
std::uint64_t SwarmResult::redundant() const {
  std::uint64_t sum = 0;
  for (const auto& n : nodes) sum += n.redundant;
  return sum;
}

}  // namespace convoy::sim
