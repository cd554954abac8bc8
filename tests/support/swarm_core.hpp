#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "swarm/core/swarm.hpp"

// Drives the swarm's core by hand, without links or sockets.
namespace convoy::test {

inline Hash256 toy_pair(const Hash256& a, const Hash256& b) {
  Hash256 out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(a[i] * 31 + b[(i + 7) % 32] * 17 + a[(i + 1) % 32] + 5);
  }
  return out;
}

inline std::vector<std::uint32_t> range(std::uint32_t n) {
  std::vector<std::uint32_t> v(n);
  std::iota(v.begin(), v.end(), 0U);
  return v;
}

/// The first block of a piece, which is all of it when pieces have one block.
inline bt::BlockRef whole(std::uint32_t piece) { return {piece, 0, bt::kBlockSize}; }

/// A core of `pieces` pieces of `blocks` blocks each; peers are numbered from 1.
class CoreUnderTest {
 public:
  using Message = bt::Message;

  explicit CoreUnderTest(std::uint32_t pieces, std::uint32_t blocks = 1, bool origin = false,
                         bool complete = false, bool knows_layer = true,
                         std::shared_ptr<swarm::core::Traffic> traffic = nullptr)
      : meta{oci::Digest::sha256({}),
             std::uint64_t{pieces} * blocks * bt::kBlockSize,
             blocks * bt::kBlockSize,
             {}} {
    std::vector<Hash256> all;
    for (std::uint32_t i = 0; i < pieces; ++i) {
      const auto own = leaves(i);
      all.insert(all.end(), own.begin(), own.end());
    }
    layer = bt::piece_layer(all, meta, toy_pair);
    meta.pieces_root = bt::root_of_leaves(all, toy_pair);
    swarm::core::SwarmConfig c{.meta = meta, .origin = origin};
    if (origin || complete) c.have.assign(pieces, true);
    if (knows_layer) c.layer = layer;
    c.pair = toy_pair;
    c.seed = 7;
    c.traffic = std::move(traffic);
    swarm = std::make_unique<swarm::core::Swarm>(std::move(c));
  }

  void join(swarm::core::PeerRef peer, bool origin = false, std::string node = {}) {
    swarm->connected(peer, {node.empty() ? "node-" + std::to_string(peer) : node, origin, 250},
                     now);
    keep();
  }
  /// A peer that has these pieces, serves, and wants the rest.
  void join_with(swarm::core::PeerRef peer, std::vector<std::uint32_t> pieces,
                 bool origin = false) {
    join(peer, origin);
    if (pieces.size() == meta.piece_count()) {
      say(peer, bt::HaveAll{});
    } else {
      say(peer, bt::HaveNone{});
      for (const auto p : pieces) say(peer, bt::Have{p});
    }
    say(peer, bt::Unchoke{});
    say(peer, bt::Interested{});
  }
  void say(swarm::core::PeerRef peer, const Message& m) {
    swarm->received(peer, m, now);
    keep();
  }
  swarm::core::Arrival block(swarm::core::PeerRef peer, std::uint32_t piece,
                             std::uint32_t index = 0) {
    const auto what = swarm->block(peer, piece, index * bt::kBlockSize, bt::kBlockSize, now);
    keep();
    return what;
  }
  void verified(std::uint32_t piece) {
    swarm->verified(piece, leaves(piece), now);
    keep();
  }
  void failed(std::uint32_t piece, const std::vector<Hash256>& as_hashed) {
    swarm->failed(piece, as_hashed, now);
    keep();
  }
  /// The piece layer is there: only now anything is asked for, of whoever is connected.
  void learn_layer() {
    swarm->layer_computed(layer, now);
    keep();
  }
  /// The right hashes of a piece's blocks.
  std::vector<Hash256> leaves(std::uint32_t piece) const {
    std::vector<Hash256> out(meta.piece_length / bt::kBlockSize);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i][0] = static_cast<std::uint8_t>(piece);
      out[i][1] = static_cast<std::uint8_t>(i + 1);
      out[i][2] = static_cast<std::uint8_t>(piece >> 8);
    }
    return out;
  }
  void leave(swarm::core::PeerRef peer) {
    swarm->closed(peer, now);
    keep();
  }
  void after(Duration d) {
    const Duration step = std::chrono::milliseconds(50);
    for (Duration passed{0}; passed < d; passed += step) {
      now += std::min(step, d - passed);
      swarm->tick(now);
      keep();
    }
  }
  void keep() {
    for (auto& a : swarm->take_actions()) actions.push_back(std::move(a));
  }
  /// The messages of one kind sent to a peer since the last clear().
  template <class M>
  std::vector<M> sent(swarm::core::PeerRef peer) const {
    std::vector<M> out;
    for (const auto& a : actions) {
      const auto* s = std::get_if<swarm::core::SendMessage>(&a);
      if (s == nullptr || s->peer != peer) continue;
      if (const auto* m = std::get_if<M>(&s->message)) out.push_back(*m);
    }
    return out;
  }
  template <class A>
  std::vector<A> did() const {
    std::vector<A> out;
    for (const auto& a : actions) {
      if (const auto* x = std::get_if<A>(&a)) out.push_back(*x);
    }
    return out;
  }
  std::size_t requests(std::uint32_t peers) const {
    std::size_t n = 0;
    for (std::uint32_t p = 1; p <= peers; ++p) n += sent<bt::RequestBlock>(p).size();
    return n;
  }
  void clear() { actions.clear(); }

  bt::BlobMeta meta;
  std::vector<Hash256> layer;
  std::unique_ptr<swarm::core::Swarm> swarm;
  std::vector<swarm::core::Action> actions;
  swarm::core::Instant now{std::chrono::hours(1)};
};

}  // namespace convoy::test
