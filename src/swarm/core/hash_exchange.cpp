#include "swarm/core/hash_exchange.hpp"

#include <algorithm>
#include <bit>

#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

constexpr Duration kLayerPatience = std::chrono::seconds(3);
constexpr Duration kRetry = std::chrono::milliseconds(20);
constexpr Duration kLastRetry = std::chrono::seconds(1);
/// So many refusals say that others were quicker; more, that the peer is long in computing.
constexpr unsigned kQuickRetries = 16;
constexpr std::size_t kMaxQueue = 3;
/// How long a neighbour has to show that it has the layer before the origin is asked; shorter
/// as long as no neighbour is there.
constexpr Duration kOriginLater = std::chrono::milliseconds(20);
constexpr Duration kOriginAlone = std::chrono::milliseconds(4);
constexpr std::size_t kAnswersAtOnce = 2;
constexpr std::size_t kSmallAnswer = 128;  // hashes
constexpr std::uint32_t kMaxLayer = 8192;
constexpr std::size_t kMaxBlames = 64;

Duration retry_after(unsigned refusals) {
  const unsigned doublings = refusals - std::min(refusals, kQuickRetries);
  return std::min(kLastRetry, kRetry * (1 << std::min(doublings, 6U)));
}

unsigned log2_of(std::uint64_t n) { return static_cast<unsigned>(std::countr_zero(n)); }

}  // namespace

bt::HashSpan HashExchange::layer_span() const {
  const auto& meta = s_.config.meta;
  return {meta.pieces_root, log2_of(meta.piece_length / bt::kBlockSize), 0,
          static_cast<std::uint32_t>(bt::round_up_pow2(s_.pieces.count())), 0};
}

bt::HashSpan HashExchange::leaf_span(std::uint32_t piece) const {
  const auto& meta = s_.config.meta;
  const std::uint32_t blocks = meta.piece_length / bt::kBlockSize;
  const auto length = s_.pieces.count() == 1
                          ? static_cast<std::uint32_t>(bt::round_up_pow2(s_.pieces.blocks_in(0)))
                          : blocks;
  return {meta.pieces_root, 0, piece * blocks, length, 0};
}

Peer* HashExchange::layer_source(Instant now) const {
  Peer* best = nullptr;
  std::pair<bool, std::uint64_t> best_key;
  const Duration patience = s_.peers.size() > 1 ? kOriginLater : kOriginAlone;
  for (const auto& p : s_.peers) {
    const bool knows = p->info.origin || p->interested || p->have.count() > 0;
    if (!knows || !p->said_have || now < p->layer_retry) continue;
    if (p->info.origin && now - p->connected < patience) continue;
    const std::pair<bool, std::uint64_t> key(p->info.origin, mix(s_.config.seed ^ ++s_.turn));
    if (best == nullptr || key < best_key) {
      best = p.get();
      best_key = key;
    }
  }
  return best;
}

void HashExchange::ask_layer(Instant now) {
  if (layer_ && now - layer_->asked < kLayerPatience) return;
  if (layer_) {
    if (Peer* slow = s_.find(layer_->peer)) slow->layer_retry = now + kLayerPatience;
    layer_.reset();
  }
  Peer* peer = layer_source(now);
  if (peer == nullptr) return;
  layer_ = Pending{peer->ref, now, layer_span()};
  s_.send(*peer, bt::HashRequest{layer_->span});
}

void HashExchange::ask_leaves(Blame& blame, Instant now) {
  if (blame.pending && now - blame.pending->asked < kLayerPatience) return;
  blame.pending.reset();
  Peer* best = nullptr;
  bool best_involved = true;
  for (const auto& p : s_.peers) {
    if (!p->have.test(blame.piece) ||
        std::find(blame.tried.begin(), blame.tried.end(), p->ref) != blame.tried.end()) {
      continue;
    }
    const bool involved =
        std::find(blame.from.begin(), blame.from.end(), p->name) != blame.from.end();
    if (best == nullptr || (best_involved && !involved)) {
      best = p.get();
      best_involved = involved;
    }
  }
  if (best == nullptr) return;
  blame.tried.push_back(best->ref);
  blame.pending = Pending{best->ref, now, leaf_span(blame.piece)};
  s_.send(*best, bt::HashRequest{blame.pending->span});
}

void HashExchange::pump(Instant now) {
  if (!s_.knows_layer()) ask_layer(now);
  for (Blame& b : blames_) ask_leaves(b, now);
}

bool HashExchange::answer_layer(Peer& peer, const bt::HashSpan& span) {
  const auto width = static_cast<std::uint32_t>(bt::round_up_pow2(s_.pieces.count()));
  if (!std::has_single_bit(span.length) || span.length > std::min(width, kMaxLayer)) return false;
  if (span.index % span.length != 0 || span.index > width - span.length) return false;
  if (!s_.knows_layer()) {
    if (s_.pieces.complete() && !computing_) {
      computing_ = true;
      s_.out.push_back(ComputeLayer{});
    }
    return false;
  }
  if (sending_ < kAnswersAtOnce || span.length <= kSmallAnswer) {
    give_layer(peer, span);
    return true;
  }
  // An origin refuses: whoever is refused finds it at another node soon.
  if (s_.config.origin || queue_.size() >= kMaxQueue) return false;
  queue_.emplace_back(peer.ref, span);
  return true;
}

void HashExchange::give_layer(Peer& peer, const bt::HashSpan& span) {
  bt::Hashes answer{span, {}};
  const Hash256 pad = bt::pad_hash(span.base_layer, s_.config.pair);
  for (std::uint32_t i = span.index; i < span.index + span.length; ++i) {
    answer.hashes.push_back(i < s_.layer.size() ? s_.layer[i] : pad);
  }
  ++sending_;
  s_.send(peer, std::move(answer));
}

bool HashExchange::answer_leaves(Peer& peer, const bt::HashSpan& span) {
  const std::uint32_t blocks = s_.config.meta.piece_length / bt::kBlockSize;
  const std::uint32_t piece = span.index / blocks;
  if (piece >= s_.pieces.count() || !s_.pieces.has(piece) || span != leaf_span(piece)) return false;
  s_.out.push_back(ReadLeaves{peer.ref, span, piece});
  return true;
}

void HashExchange::requested(Peer& peer, const bt::HashSpan& span) {
  bool ok = false;
  if (span.pieces_root == s_.config.meta.pieces_root && span.proof_layers == 0) {
    const bool layer = span.base_layer == layer_span().base_layer && s_.pieces.count() > 1;
    // With pieces of one block both layers are the same row.
    ok = layer ? answer_layer(peer, span) : span.base_layer == 0 && answer_leaves(peer, span);
  }
  if (!ok) s_.send(peer, bt::HashReject{span});
}

void HashExchange::leaves_read(PeerRef ref, const bt::HashSpan& span, std::vector<Hash256> leaves) {
  Peer* peer = s_.find(ref);
  if (peer == nullptr) return;
  if (leaves.empty()) {
    s_.send(*peer, bt::HashReject{span});
    return;
  }
  leaves.resize(span.length);
  ++sending_;
  s_.send(*peer, bt::Hashes{span, std::move(leaves)});
}

void HashExchange::sent() {
  if (sending_ > 0) --sending_;
  while (sending_ < kAnswersAtOnce && !queue_.empty()) {
    const auto [ref, span] = queue_.front();
    queue_.erase(queue_.begin());
    if (Peer* peer = s_.find(ref)) give_layer(*peer, span);
  }
}

HashExchange::Answer HashExchange::answered(Peer& peer, const bt::Hashes& m) {
  if (layer_ && layer_->peer == peer.ref && layer_->span == m.span) {
    layer_.reset();
    if (m.hashes.size() != m.span.length) return Answer::wrong;
    std::vector<Hash256> layer(m.hashes.begin(), m.hashes.begin() + s_.pieces.count());
    if (!bt::layer_matches(layer, s_.config.meta, s_.config.pair)) return Answer::wrong;
    s_.layer = std::move(layer);
    return Answer::layer;
  }
  for (Blame& b : blames_) {
    if (!b.pending || b.pending->peer != peer.ref || b.pending->span != m.span) continue;
    b.pending.reset();
    if (m.hashes.size() != m.span.length) return Answer::wrong;
    const std::vector<Hash256> leaves(m.hashes.begin(),
                                      m.hashes.begin() + s_.pieces.blocks_in(b.piece));
    if (bt::piece_hash(leaves, s_.config.meta, s_.config.pair) != s_.layer[b.piece]) {
      return Answer::wrong;
    }
    return Answer::leaves;
  }
  return Answer::unasked;
}

void HashExchange::refused(Peer& peer, const bt::HashSpan& span, Instant now) {
  if (layer_ && layer_->peer == peer.ref && layer_->span == span) {
    layer_.reset();
    // Another node may have it by then; which one is asked next differs from node to node.
    peer.layer_retry = now + retry_after(++peer.layer_refusals) +
                       std::chrono::milliseconds(mix(s_.config.seed ^ ++s_.turn) % 20);
  }
  for (Blame& b : blames_) {
    if (b.pending && b.pending->peer == peer.ref && b.pending->span == span) b.pending.reset();
  }
}

void HashExchange::peer_gone(PeerRef ref) {
  if (layer_ && layer_->peer == ref) layer_.reset();
  for (Blame& b : blames_) {
    if (b.pending && b.pending->peer == ref) b.pending.reset();
  }
}

void HashExchange::blame(std::uint32_t piece, std::vector<Hash256> leaves,
                         std::vector<NameRef> from) {
  std::erase_if(blames_, [piece](const Blame& b) { return b.piece == piece; });
  if (blames_.size() >= kMaxBlames) return;
  blames_.push_back({piece, std::move(leaves), std::move(from), {}, {}});
}

std::vector<NameRef> HashExchange::resolve(std::uint32_t piece, const std::vector<Hash256>& right) {
  std::vector<NameRef> guilty;
  for (const Blame& b : blames_) {
    if (b.piece != piece) continue;
    for (std::size_t i = 0; i < b.leaves.size() && i < right.size(); ++i) {
      if (b.leaves[i] != right[i]) guilty.push_back(b.from[i]);
    }
  }
  std::erase_if(blames_, [piece](const Blame& b) { return b.piece == piece; });
  std::sort(guilty.begin(), guilty.end());
  guilty.erase(std::unique(guilty.begin(), guilty.end()), guilty.end());
  return guilty;
}

}  // namespace convoy::swarm::core
