#pragma once

#include <cstdint>
#include <vector>

#include "swarm/core/news.hpp"
#include "swarm/core/state.hpp"
#include "swarm/core/uploader.hpp"

namespace convoy::swarm::core {

/// Some neighbours are told of a piece as soon as an origin was asked for it: the news and their
/// requests pass the links' queues while it comes (ADR 21). The requests wait here until it is
/// verified. If it does not come any more they are refused, which takes the news back (BEP 6).
class Promises {
 public:
  Promises(State& s, News& news, Uploader& uploader) : s_(s), news_(news), uploader_(uploader) {}

  /// After every event: makes the promises that are due, and breaks those that cannot be kept.
  void look(Instant now);
  bool made(std::uint32_t piece) const;
  /// The piece is here. Returns whom it was promised to.
  std::vector<PeerRef> kept(std::uint32_t piece, Instant now);

 private:
  struct Promise {
    std::uint32_t piece = 0;
    std::vector<PeerRef> to;
  };
  std::vector<std::uint32_t> asked_of_origins() const;
  void make(std::uint32_t piece, Instant now);

  State& s_;
  News& news_;
  Uploader& uploader_;
  std::vector<Promise> promises_;
};

}  // namespace convoy::swarm::core
