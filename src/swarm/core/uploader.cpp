#include "swarm/core/uploader.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "swarm/core/limits.hpp"

namespace convoy::swarm::core {
namespace {

constexpr std::uint32_t kFewPieces = 4;
constexpr std::uint64_t kFarTurn = 8;
/// Whoever is ahead would wait for one block for seconds, and its reader with it. Sooner, and peers
/// with slow links hold the others back; so do all, where so many blocks take longer.
constexpr std::chrono::duration<double> kLong{1};
constexpr double kLongBlocks = 16;
/// Sooner, and first copies hold up what readers wait for.
constexpr Duration kMoment = std::chrono::milliseconds(50);
/// Whoever takes them may not tell of it.
constexpr std::uint32_t kFirstCopies = 2;

/// Pieces a second since it connected. Newcomers come out low, not wild.
double pace(const Peer& peer, Instant now) {
  const std::chrono::duration<double> known = now - peer.connected + std::chrono::milliseconds(100);
  return (peer.have.count() - peer.had) / known.count();
}

/// Pieces that links of this rate (in pieces a second) would have brought it since it began, and it
/// does not have.
double lost(const Peer& peer, Instant now, double rate) {
  return rate * std::chrono::duration<double>(now - peer.began).count() - peer.have.count();
}

bool wants(const Peer& p) { return !p.sending && !p.wanted.empty(); }
bool may_serve(const Peer& p, Instant now) {
  return wants(p) && (p.upload == nullptr || p.upload->ready(now));
}

/// Takes out the first that is of this block.
bool take_out(std::vector<Wanted>& from, const bt::BlockRef& block) {
  const auto it =
      std::find_if(from.begin(), from.end(), [&](const Wanted& w) { return w.block == block; });
  if (it == from.end()) return false;
  from.erase(it);
  return true;
}

std::vector<Wanted> take_early(Peer& peer, std::uint32_t piece) {
  std::vector<Wanted> out;
  std::erase_if(peer.early, [&](const Wanted& w) {
    if (w.block.piece != piece) return false;
    out.push_back(w);
    return true;
  });
  return out;
}

}  // namespace

bool Uploader::enqueue(Peer& peer, const bt::BlockRef& block, Instant now) {
  if (peer.wanted.size() + peer.early.size() >= kMaxQueuedRequests) return false;
  auto& queue = s_.pieces.has(block.piece) ? peer.wanted : peer.early;
  queue.push_back({block, ++arrivals_, now});
  return true;
}

void Uploader::serve_early(std::uint32_t piece, Instant now) {
  for (const auto& p : s_.peers) {
    for (const Wanted& w : take_early(*p, piece)) {
      p->wanted.push_back({w.block, ++arrivals_, now});
    }
  }
}

void Uploader::refuse_early(std::uint32_t piece) {
  for (const auto& p : s_.peers) {
    for (const Wanted& w : take_early(*p, piece)) s_.send(*p, bt::RejectBlock{w.block});
  }
}

bool Uploader::cancel(Peer& peer, const bt::BlockRef& block) {
  return take_out(peer.wanted, block) || take_out(peer.early, block);
}

bool Uploader::waiting(Instant now) const {
  return std::any_of(s_.peers.begin(), s_.peers.end(),
                     [now](const auto& p) { return may_serve(*p, now); });
}

std::optional<Instant> Uploader::held_until(Instant now) const {
  std::optional<Instant> first;
  if (s_.config.traffic == nullptr || !s_.config.traffic->limits_each_upload()) return first;
  for (const auto& p : s_.peers) {
    if (!wants(*p) || may_serve(*p, now)) continue;
    first = std::min(first.value_or(Instant::max()), now + p->upload->wait(now));
  }
  return first;
}

Peer* Uploader::first_come(Instant now) {
  Peer* best = nullptr;
  for (const auto& p : s_.peers) {
    if (!may_serve(*p, now)) continue;
    if (best == nullptr || p->wanted.front().number < best->wanted.front().number) best = p.get();
  }
  return best;
}

bool Uploader::only_here(std::uint32_t piece) const {
  if (s_.pieces.availability(piece) > 1) return false;
  return std::none_of(s_.peers.begin(), s_.peers.end(),
                      [piece](const auto& p) { return !p->info.origin && p->have.test(piece); });
}

Uploader::Choice Uploader::first_copy(Instant now) {
  Choice best;
  std::uint64_t number = arrivals_ + 1;
  for (const auto& p : s_.peers) {
    if (!may_serve(*p, now)) continue;
    for (std::size_t at = 0; at < p->wanted.size(); ++at) {
      const Wanted& w = p->wanted[at];
      if (now - w.since < kMoment || w.number > number) break;
      if (firsts_[w.block.piece] >= kFirstCopies * s_.pieces.blocks_in(w.block.piece)) continue;
      if (!only_here(w.block.piece)) continue;
      best = {p.get(), at};
      number = w.number;
      break;
    }
  }
  if (best.peer != nullptr) ++firsts_[best.peer->wanted[best.at].block.piece];
  return best;
}

Peer* Uploader::slowest(Instant now) {
  const std::uint32_t far = std::max(s_.pieces.count() / 8, kFewPieces);
  Peer* near_best = nullptr;
  Peer* far_best = nullptr;
  // Who lost most is the same one for all nodes, and its link cannot take what all of them send.
  const bool by_loss = std::exchange(by_loss_, !by_loss_);
  const double rate = std::max(s_.down_rate(now), s_.up_rate(now)) / s_.config.meta.piece_length;
  const auto gain = [by_loss, now, rate](const Peer& p) {
    return by_loss ? -lost(p, now, rate) : pace(p, now);
  };
  const auto before = [&gain](const Peer* a, const Peer* b) {
    return b == nullptr || std::tuple(gain(*a), a->served) < std::tuple(gain(*b), b->served);
  };
  for (const auto& p : s_.peers) {
    if (!may_serve(*p, now)) continue;
    Peer*& best = p->have.count() + far < s_.pieces.have().count() ? far_best : near_best;
    if (before(p.get(), best)) best = p.get();
  }
  if (near_best == nullptr || far_best == nullptr) {
    return near_best != nullptr ? near_best : far_best;
  }
  return ++turns_ % kFarTurn == 0 ? far_best : near_best;
}

Duration Uploader::long_wait(Instant now) const {
  std::chrono::duration<double> wait = kLong;
  if (const double rate = s_.up_rate(now); rate > 0) {
    wait = std::max(wait, decltype(wait)(kLongBlocks * bt::kBlockSize / rate));
  }
  return std::chrono::duration_cast<Duration>(wait);
}

Uploader::Choice Uploader::choose(Instant now) {
  Peer* const oldest = first_come(now);
  if (oldest == nullptr || s_.config.origin) return {oldest};
  if (const Choice copy = first_copy(now); copy.peer != nullptr) return copy;
  return {now - oldest->wanted.front().since < long_wait(now) ? slowest(now) : oldest};
}

Upload Uploader::take(Choice choice) {
  auto& [peer, at] = choice;
  last_ = peer->wanted[at].block;
  peer->wanted.erase(peer->wanted.begin() + static_cast<std::ptrdiff_t>(at));
  peer->sending = true;
  if (peer->upload) peer->upload->take(last_.length);
  return {peer->ref, last_};
}

std::optional<Upload> Uploader::next(Instant now) {
  const Choice choice = choose(now);
  if (choice.peer == nullptr) return std::nullopt;
  choice.peer->served = ++s_.turn;
  return take(choice);
}

std::optional<Upload> Uploader::more(PeerRef ref, Instant now) {
  Peer* peer = s_.find(ref);
  if (peer == nullptr || peer->wanted.empty()) return std::nullopt;
  if (peer->upload && !peer->upload->ready(now)) return std::nullopt;
  const bt::BlockRef& b = peer->wanted.front().block;
  if (b.piece != last_.piece || b.begin != last_.begin + last_.length) return std::nullopt;
  return take({peer});
}

}  // namespace convoy::swarm::core
