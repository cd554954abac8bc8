#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "net/rate_limiter.hpp"
#include "net/task_group.hpp"
#include "swarm/core/blob_turns.hpp"
#include "swarm/core/meter.hpp"
#include "swarm/core/traffic.hpp"

namespace convoy::swarm {

/// Something that has blocks to send: a torrent.
class UploadSource {
 public:
  virtual ~UploadSource() = default;
  /// Chooses what leaves next and puts it on its way, at most `quantum` bytes to one peer;
  /// Uplink::done is called with `ticket` when the socket has taken it. Returns the bytes, 0
  /// when there is nothing.
  virtual std::uint64_t send_next(std::uint64_t ticket, std::uint64_t quantum) = 0;
  /// Nobody at this node has read it lately: it is here for others.
  virtual bool background() const = 0;
  /// The least goes first.
  virtual std::uint64_t rank() const = 0;
};

/// The node's uplink, shared by all torrents as BlobTurns says; while a reader at this node waits
/// for one, those in the background get every eighth turn, and no more than a rate of their own.
/// Few blocks are on their way at any time, so that the next one is chosen late. One that a slow
/// receiver holds up stops counting after a moment, so that it does not hold the others up. One
/// thread.
class Uplink {
 public:
  /// `traffic` says whether somebody waits.
  Uplink(net::Executor, net::TaskGroup&, std::shared_ptr<net::RateLimiter>, const core::Traffic&,
         const Clock&);

  /// The source may have something to send.
  void wake(const std::shared_ptr<UploadSource>&);
  void done(std::uint64_t ticket, std::uint64_t bytes);
  /// Bytes per second of sources in the background while somebody waits; 0: no limit.
  void limit_background(std::uint64_t rate);
  /// Measured bytes per second.
  double rate() const { return meter_.rate(clock_.steady()); }
  /// What a socket may hold unsent, for the present rate.
  std::uint32_t lowat() const;
  std::uint64_t quantum() const;

 private:
  struct Flight {
    std::uint64_t ticket;
    SteadyTime since;
  };
  using Source = std::shared_ptr<UploadSource>;
  void pump();
  Source next_turn();
  bool may_send();
  bool pay();
  net::Task<void> acquire();
  net::Task<void> watch(Duration);
  void look_again(Duration);
  std::size_t young(SteadyTime now) const;
  Duration patience() const;

  net::Executor executor_;
  net::TaskGroup& tasks_;
  std::shared_ptr<net::RateLimiter> limiter_;
  const Clock& clock_;
  core::RateMeter meter_;
  std::vector<std::weak_ptr<UploadSource>> sources_;  ///< served longest ago first
  core::BlobTurns foreground_turns_, background_turns_;
  const core::Traffic& traffic_;
  TokenBucket background_;
  std::uint64_t contended_turns_ = 0;
  std::vector<Flight> flights_;
  std::uint64_t tickets_ = 0;
  std::int64_t credit_ = 0;  ///< bytes the limiter has let pass and that did not leave yet
  bool acquiring_ = false, watching_ = false, pumping_ = false;
};

}  // namespace convoy::swarm
