#pragma once

#include <string>

#include "swarm/core/hash_exchange.hpp"
#include "swarm/core/layer_fetch.hpp"
#include "swarm/core/news.hpp"
#include "swarm/core/offers.hpp"
#include "swarm/core/promises.hpp"
#include "swarm/core/requester.hpp"
#include "swarm/core/state.hpp"
#include "swarm/core/swarm.hpp"
#include "swarm/core/uploader.hpp"

namespace convoy::swarm::core {

/// Private to swarm/core: the parts of a swarm, and how they are told of peers and messages.
struct Swarm::Impl {
  explicit Impl(SwarmConfig c)
      : s(std::move(c)),
        requester(s),
        uploader(s),
        offers(s),
        layer(s),
        hashes(s),
        news(s),
        promises(s, news, uploader) {
    if (s.layer.empty() && s.pieces.count() == 1) s.layer = {s.config.meta.pieces_root};
  }

  State s;
  Requester requester;
  Uploader uploader;
  Offers offers;
  LayerFetch layer;
  HashExchange hashes;
  News news;
  Promises promises;
  SwarmCounts counts;

  void greet(Peer&);
  void forget(PeerRef, Instant);
  void drop(Peer&, std::string code, bool ban, Instant, std::string detail = {});
  void violation(Peer& peer, std::string what, Instant now) {
    drop(peer, "peer_violation", false, now, std::move(what));
  }
  void ban(NameRef, std::uint32_t piece, Instant);
  void settle(Instant now);
  void peer_has(Peer&, std::uint32_t piece, Instant);
  /// Whether that was news.
  bool lacks(Peer&, std::uint32_t piece);
  void set_pieces(Peer&, const PieceSet&, Instant);
  std::optional<Upload> leaves(std::optional<Upload>, Instant now);
  void gained(std::uint32_t piece, Instant now);
  void layer_arrived(Instant);

  void on(Peer&, const bt::KeepAlive&, Instant) {}
  void on(Peer&, const bt::Choke&, Instant);
  void on(Peer&, const bt::Unchoke&, Instant);
  void on(Peer&, const bt::Interested&, Instant);
  void on(Peer&, const bt::NotInterested&, Instant);
  void on(Peer&, const bt::Have&, Instant);
  void on(Peer&, const bt::Bitfield&, Instant);
  void on(Peer&, const bt::HaveAll&, Instant);
  void on(Peer&, const bt::HaveNone&, Instant);
  void on(Peer&, const bt::RequestBlock&, Instant);
  void on(Peer&, const bt::CancelBlock&, Instant);
  void on(Peer&, const bt::RejectBlock&, Instant);
  void on(Peer&, const bt::PieceBlock&, Instant) {}
  void on(Peer&, const bt::Extended&, Instant) {}
  void on(Peer&, const bt::HashRequest&, Instant);
  void on(Peer&, const bt::Hashes&, Instant);
  void on(Peer&, const bt::HashReject&, Instant);
  void on(Peer&, const bt::Unknown&, Instant) {}
};

}  // namespace convoy::swarm::core
