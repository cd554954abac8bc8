#pragma once

#include <optional>

#include "swarm/core/state.hpp"

namespace convoy::swarm::core {

/// One upload queue over all peers. Which block is next is decided when the uplink can take it.
class Uploader {
 public:
  explicit Uploader(State& s) : s_(s) {}

  /// False when the queue of this peer is full.
  bool enqueue(Peer&, const bt::BlockRef&);
  /// False when it was not waiting (it left already, or was never asked for).
  bool cancel(Peer&, const bt::BlockRef&);
  bool waiting() const;
  /// The next block and its peer, which is then busy until block_sent(). An origin sends first
  /// come first served; a node serves whoever has the fewest pieces (in steps of four, then
  /// served longest ago), and peers far behind itself only every eighth time, or when idle.
  std::optional<Upload> next();
  /// A further block for a peer that next() chose, as long as it follows the last one in the
  /// same piece.
  std::optional<Upload> more(PeerRef);

 private:
  Peer* first_come();
  Peer* neediest();
  Upload take(Peer&);

  State& s_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t turns_ = 0;
  bt::BlockRef last_{};
};

}  // namespace convoy::swarm::core
