#pragma once

#include <deque>
#include <memory>
#include <string>

#include "swarm/core/types.hpp"
#include "swarm/transport/gate_session.hpp"
#include "swarm/transport/read_cache.hpp"

namespace convoy::swarm {

class Connection;

/// What a connection tells its torrent. Called on the executor; a connection may be closed
/// inside any of these calls.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// False ends the connection.
  virtual bool on_message(Connection&, const bt::Message&) = 0;
  /// All messages of one read were handled.
  virtual void on_batch() = 0;
  /// Blocks given by send() have left, with the ticket of the uplink.
  virtual void on_sent(Connection&, const std::vector<bt::BlockRef>&, std::uint64_t ticket) = 0;
  virtual void on_hashes_sent(Connection&, std::size_t answers) = 0;
  virtual void on_closed(Connection&, const Error& why) = 0;
  /// Whether more than one peer is connected, so that each can do with a small window.
  virtual bool shares_link() const = 0;
};

/// The byte pump of one peer: a reader that parses, a writer that sends control messages in
/// shared records and blocks one after the other. Holds no policy.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Env&, std::shared_ptr<ConnectionOwner>, std::shared_ptr<ReadCache>, core::PeerRef,
             Admitted);

  /// Starts both coroutines.
  void start();
  /// Leaves with the next record, or opens one after `wait`.
  void send(const bt::Message&, Duration wait = {});
  /// Blocks of one piece in a row; at most one such call may be open.
  void send_blocks(std::vector<bt::BlockRef>, std::uint64_t ticket);
  /// Ends it. Further calls do nothing.
  void close(Error why);

  core::PeerRef ref() const { return ref_; }
  const PeerIdentity& peer() const { return admitted_.peer; }
  const bt::PeerId& peer_id() const { return admitted_.peer_id; }
  const bt::ExtensionHandshake& extension() const { return admitted_.extension; }
  const net::Endpoint& remote() const { return admitted_.stream->remote(); }
  bool outgoing() const { return admitted_.outgoing; }
  std::uint32_t identity() const { return admitted_.identity; }
  SteadyTime since() const { return since_; }
  bool closed() const { return closed_; }

  const security::TicketActions& actions() const { return admitted_.actions; }
  UnixTime ticket_expires() const { return admitted_.ticket_expires; }
  void renew_ticket(const TicketFacts&, std::string_view ticket);
  /// When the own ticket runs out that the peer was shown last.
  SteadyTime shown_until() const { return admitted_.shown_until; }
  void show_ticket(std::string_view ticket, SteadyTime expires);

 private:
  net::Task<void> read_loop();
  net::Task<void> write_loop();
  net::Task<Status> write_something();
  net::Task<void> wait_for_more();
  SteadyTime control_due() const;
  net::Task<Status> write_control(ByteView bulk);
  net::Task<Status> write_blocks();
  bool handle(std::size_t& filled);
  void grow(std::size_t needed);
  void part(Error why);

  Env& env_;
  std::shared_ptr<ConnectionOwner> owner_;
  std::shared_ptr<ReadCache> cache_;
  core::PeerRef ref_;
  Admitted admitted_;
  SteadyTime since_;
  Bytes in_, out_, writing_;
  std::size_t in_a_row_ = 0;  ///< messages handled since the loop had a turn
  std::size_t answers_ = 0;   ///< hash answers in out_
  std::vector<bt::BlockRef> blocks_;
  std::uint64_t ticket_ = 0;
  std::uint32_t lowat_ = 0;
  net::Notify wake_;
  SteadyTime control_after_;                ///< when the next control messages may leave
  SteadyTime out_due_ = SteadyTime::max();  ///< when what is in out_ has to leave
  SteadyTime waits_until_;                  ///< the writer waits for wake_ at most so long
  bool waiting_ = false;
  bool closed_ = false;
  std::optional<Error> why_;
  int loops_ = 0;
};

}  // namespace convoy::swarm
