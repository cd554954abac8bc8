#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/random.hpp"
#include "sim/options.hpp"

namespace convoy::sim {

/// Each node's link, and the lines between zones. A link sends one block at a time; what several
/// send to one receiver queues before its downlink, what leaves a zone before the line.
class Links {
 public:
  Links(const SwarmOptions&, Random&);

  void set_rate(std::uint32_t node, std::uint64_t rate) { ends_[node].rate = rate; }
  std::uint32_t zone(std::uint32_t node) const { return ends_[node].zone; }
  Instant up_free(std::uint32_t node) const { return ends_[node].up_free; }

  struct Passage {
    Instant sent;     ///< the uplink is free again
    Instant next;     ///< the connection takes the next block: buffers hold so much on the way
    Instant arrived;  ///< the last byte is there
  };
  /// A block, or another message that queues like one. The uplink must be free.
  Passage data(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant now);
  /// When a short message is taken. It uses up the links, and overtakes unless queues are modelled.
  Instant message(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant now);

  std::uint64_t over_border() const { return over_border_; }  ///< bytes of all kinds, both ways

 private:
  struct End {
    std::uint64_t rate = 0;
    std::uint32_t zone = 0;
    Instant up_free{}, down_free{};
  };
  Duration time_of(std::uint64_t bytes, std::uint64_t rate) const;
  Duration random_up_to_twice(Duration mean);
  /// What passes the line between the zones of the two is at its end no earlier than this.
  Instant cross(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant begin);
  /// No connection changes the order of what it carries.
  Instant in_order(std::uint32_t from, std::uint32_t to, Instant when);

  const SwarmOptions& options_;
  Random& random_;
  std::vector<End> ends_;
  std::vector<Instant> lines_;  ///< from zone to zone: free again
  std::map<std::pair<std::uint32_t, std::uint32_t>, Instant> last_, flow_;
  std::uint64_t flow_rate_ = 0;  ///< of one connection, slowed down by losses; 0: without limit
  std::uint64_t over_border_ = 0;
};

}  // namespace convoy::sim
