#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/blob.hpp"
#include "sim/events.hpp"
#include "sim/links.hpp"
#include "sim/result.hpp"
#include "sim/tracker.hpp"
#include "swarm/core/blob_turns.hpp"
#include "swarm/core/peer_book.hpp"
#include "swarm/core/swarm.hpp"

namespace convoy::sim {

/// A node in the swarm of one blob.
struct Seat {
  struct Held {
    std::vector<bt::Message> messages;
    Instant due = Instant::max();
  };
  std::unique_ptr<swarm::core::Swarm> core;
  std::unique_ptr<swarm::core::PeerBook> book;
  std::set<std::uint32_t> peers;       ///< connected nodes; a peer's number is one more
  std::map<std::uint32_t, Held> held;  ///< messages that wait for company
  std::deque<std::pair<std::uint32_t, bt::Message>> bulk;    ///< large messages, sent like blocks
  std::map<std::uint32_t, std::set<std::uint32_t>> tainted;  ///< piece -> wrong blocks
  std::size_t dialling = 0;
  bool known = false;  ///< the tracker has let it in
  Instant next_call{}, last_call{};
  std::uint32_t failures = 0, ticks = 0;
  std::uint32_t readable = 0;  ///< pieces
  double advanced = 0;         ///< when that last grew, seconds after the start of the node
  bool done = false;
};

struct Node {
  std::vector<Seat> seats;           ///< one for each blob
  std::vector<std::uint32_t> turns;  ///< blobs, the one served longest ago first
  swarm::core::BlobTurns blob_turns;
  bool alive = false, sending = false;
  bool corrupt = false;
  Instant start{};
  std::uint32_t missing = 0;  ///< seats that are not done
  NodeResult result;
};

/// All nodes of a run and what they do to each other: the engine's core, its book of peers and the
/// tracker's hand-out are the real ones, what is between them is modelled here. Node 0 is the
/// origin.
class Crowd {
 public:
  Crowd(const SwarmOptions&, Random&);

  void start(std::uint32_t node);
  void stop(std::uint32_t node);
  void cut(std::uint32_t a, std::uint32_t b) { cuts_.insert(std::minmax(a, b)); }
  void corrupt(std::uint32_t node) { nodes_[node].corrupt = true; }

  Events& events() { return events_; }
  Links& links() { return links_; }
  SimTracker& tracker() { return tracker_; }
  std::uint32_t downloading() const { return downloading_; }
  const std::vector<std::string>& reports() const { return reports_; }
  SwarmResult result() const;

 private:
  Seat& seat(std::uint32_t i, std::uint32_t b) { return nodes_[i].seats[b]; }
  Instant now() const { return events_.now(); }

  // crowd_peers.cpp: who is connected with whom
  void make_core(std::uint32_t i, std::uint32_t b);
  void open_seat(std::uint32_t i, std::uint32_t b);
  void tick(std::uint32_t i, std::uint32_t b);
  void call_tracker(std::uint32_t i, std::uint32_t b);
  void answered(std::uint32_t i, std::uint32_t b);
  void dial_more(std::uint32_t i, std::uint32_t b);
  void dialled(std::uint32_t i, std::uint32_t b, std::uint32_t other);
  bool reachable(std::uint32_t i, std::uint32_t b, std::uint32_t other) const;
  void connect(std::uint32_t i, std::uint32_t b, std::uint32_t other);
  void part(std::uint32_t i, std::uint32_t b, std::uint32_t other);
  void gone(std::uint32_t i, std::uint32_t b, std::uint32_t other);

  // crowd_wire.cpp: what goes over the connections
  void act(std::uint32_t i, std::uint32_t b);
  void hold(std::uint32_t i, std::uint32_t b, std::uint32_t to, bt::Message, Instant due);
  void flush(std::uint32_t i, std::uint32_t b, std::uint32_t to, std::vector<bt::Message>);
  void deliver(std::uint32_t i, std::uint32_t b, std::uint32_t to, Instant when,
               std::vector<bt::Message>);
  void upload(std::uint32_t i);
  void upload_from(std::uint32_t i, std::uint32_t b);
  void upload_bulk(std::uint32_t i, std::uint32_t b);
  void arrive(std::uint32_t from, std::uint32_t b, std::uint32_t to, bt::BlockRef);
  void verify(std::uint32_t i, std::uint32_t b, std::uint32_t piece);
  void progress(std::uint32_t i, std::uint32_t b);
  void count_origin(std::uint64_t bytes);

  const SwarmOptions& options_;
  Random& random_;
  std::vector<Blob> blobs_;
  Events events_;
  Links links_;
  SimTracker tracker_;
  std::vector<Node> nodes_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cuts_;
  std::vector<std::string> reports_;
  std::uint32_t downloading_ = 0;
  SwarmResult totals_;
};

}  // namespace convoy::sim
