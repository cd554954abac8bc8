#include "swarm/core/hash_exchange.hpp"

#include <algorithm>
#include <bit>

#include "swarm/core/limits.hpp"

namespace convoy::swarm::core {
namespace {

/// How long a peer has to give the leaves of a piece.
constexpr Duration kPatience = std::chrono::seconds(3);
constexpr std::size_t kMaxQueue = 16;
constexpr std::uint32_t kMaxLayer = 8192;
constexpr std::size_t kMaxBlames = 64;

/// Answers on their way into sockets.
std::size_t most_at_once(const bt::HashSpan& span) { return span.length <= kRowHashes ? 8 : 2; }

}  // namespace

bt::HashSpan HashExchange::leaf_span(std::uint32_t piece) const {
  const auto& meta = s_.config.meta;
  const std::uint32_t blocks = meta.piece_length / bt::kBlockSize;
  const auto length = s_.pieces.count() == 1
                          ? static_cast<std::uint32_t>(bt::round_up_pow2(s_.pieces.blocks_in(0)))
                          : blocks;
  return {meta.pieces_root, 0, piece * blocks, length, 0};
}

void HashExchange::ask_leaves(Blame& blame, Instant now) {
  if (blame.pending && now - blame.pending->asked < kPatience) return;
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
  for (Blame& b : blames_) ask_leaves(b, now);
}

bool HashExchange::answer_layer(Peer& peer, const bt::HashSpan& span) {
  const auto width = static_cast<std::uint32_t>(bt::round_up_pow2(s_.pieces.count()));
  if (!std::has_single_bit(span.length) || span.length < 2) return false;
  if (span.length > std::min(width, kMaxLayer)) return false;
  if (span.index % span.length != 0 || span.index > width - span.length) return false;
  // The last uncle there can be stands below the root.
  if (span.proof_layers > 0 && span.proof_layers > std::bit_width(width) - 2U) return false;
  if (!s_.knows_layer()) {
    if (s_.pieces.complete() && !computing_) {
      computing_ = true;
      s_.out.push_back(ComputeLayer{});
    }
    return false;
  }
  if (sending_ < most_at_once(span)) {
    give_layer(peer, span);
    return true;
  }
  // An origin refuses: whoever is refused finds it at another node soon.
  if (s_.config.origin || queue_.size() >= kMaxQueue) return false;
  queue_.emplace_back(peer.ref, span);
  return true;
}

/// The upper part follows from the roots of the layer's rows, which are reckoned once: a proof
/// costs a row's hashes at most.
std::vector<Hash256> HashExchange::proof_of(const bt::HashSpan& span) {
  const std::uint64_t top = std::uint64_t{span.length} << bt::uncle_count(span);
  const Hash256 pad = bt::pad_hash(span.base_layer, s_.config.pair);
  const std::uint64_t in_row = std::min<std::uint64_t>(top, kRowHashes);
  auto proof = bt::uncles(s_.layer, in_row, span.index, span.length, pad, s_.config.pair);
  if (top <= kRowHashes) return proof;
  for (std::size_t at = row_roots_.size() * kRowHashes; at < s_.layer.size(); at += kRowHashes) {
    const auto row = std::span(s_.layer).subspan(at);
    row_roots_.push_back(bt::merkle_root(row.first(std::min<std::size_t>(row.size(), kRowHashes)),
                                         kRowHashes, pad, s_.config.pair));
  }
  const Hash256 no_row = bt::merkle_root({}, kRowHashes, pad, s_.config.pair);
  const auto above = bt::uncles(row_roots_, top / kRowHashes, span.index / kRowHashes,
                                std::max(span.length / kRowHashes, 1U), no_row, s_.config.pair);
  proof.insert(proof.end(), above.begin(), above.end());
  return proof;
}

void HashExchange::give_layer(Peer& peer, const bt::HashSpan& span) {
  bt::Hashes answer{span, {}};
  const Hash256 pad = bt::pad_hash(span.base_layer, s_.config.pair);
  for (std::uint32_t i = span.index; i < span.index + span.length; ++i) {
    answer.hashes.push_back(i < s_.layer.size() ? s_.layer[i] : pad);
  }
  const auto proof = proof_of(span);
  answer.hashes.insert(answer.hashes.end(), proof.begin(), proof.end());
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
  if (span.pieces_root == s_.config.meta.pieces_root) {
    const bool layer = span.base_layer == bt::layer_height(s_.config.meta) && s_.pieces.count() > 1;
    // With pieces of one block both layers are the same row.
    ok = layer ? answer_layer(peer, span) : answer_leaves(peer, span);
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
  while (!queue_.empty() && sending_ < most_at_once(queue_.front().second)) {
    const auto [ref, span] = queue_.front();
    queue_.erase(queue_.begin());
    if (Peer* peer = s_.find(ref)) give_layer(*peer, span);
  }
}

HashExchange::Answer HashExchange::answered(Peer& peer, const bt::Hashes& m) {
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

void HashExchange::refused(const Peer& peer, const bt::HashSpan& span) {
  for (Blame& b : blames_) {
    if (b.pending && b.pending->peer == peer.ref && b.pending->span == span) b.pending.reset();
  }
}

void HashExchange::peer_gone(PeerRef ref) {
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
