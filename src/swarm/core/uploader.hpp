#pragma once

#include <optional>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// One upload queue over all peers. Which block is next is decided when the uplink can take it.
class Uploader {
 public:
  explicit Uploader(State& s) : s_(s), firsts_(s.pieces.count()) {}

  /// False when the queue of this peer is full. A block of a piece that is not here yet waits for
  /// serve_early() or refuse_early().
  bool enqueue(Peer&, const bt::BlockRef&, Instant now);
  void serve_early(std::uint32_t piece, Instant now);
  void refuse_early(std::uint32_t piece);
  /// False when it was not waiting (it left already, or was never asked for).
  bool cancel(Peer&, const bt::BlockRef&);
  /// Something may leave now.
  bool waiting(Instant now) const;
  /// When the limit lets go on what is wanted and held back now.
  std::optional<Instant> held_until(Instant now) const;
  /// The next block and its peer, which is then busy until block_sent(). An origin sends first
  /// come first served. A node serves in turns whoever lost most since it began and whoever gained
  /// the fewest pieces for the time since it connected, so that all are done as long after their
  /// start; peers that are many pieces behind itself only every eighth time, or when idle; but
  /// first what has waited long, and before that, twice at most, what no other node has and has
  /// waited a moment: others then need not wait here.
  std::optional<Upload> next(Instant now);
  /// A further block for a peer that next() chose, as long as it follows the last one in the
  /// same piece.
  std::optional<Upload> more(PeerRef, Instant now);

 private:
  struct Choice {
    Peer* peer = nullptr;
    std::size_t at = 0;  ///< in what it waits for
  };
  /// How long a request may wait while slower peers are served.
  Duration long_wait(Instant now) const;
  Choice choose(Instant now);
  Peer* first_come(Instant now);
  Choice first_copy(Instant now);
  Peer* slowest(Instant now);
  bool only_here(std::uint32_t piece) const;
  Upload take(Choice);

  State& s_;
  std::vector<std::uint32_t> firsts_;  ///< blocks sent as first copies, by piece
  std::uint64_t arrivals_ = 0;
  std::uint64_t turns_ = 0;
  bool by_loss_ = false;  ///< how slowest() chooses next
  bt::BlockRef last_{};
};

}  // namespace convoy::swarm::core
