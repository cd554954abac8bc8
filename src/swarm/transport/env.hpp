#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "net/metrics.hpp"
#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/audit.hpp"
#include "security/token/ticket.hpp"
#include "swarm/core/traffic.hpp"
#include "swarm/core/types.hpp"
#include "swarm/transport/engine.hpp"
#include "swarm/transport/uplink.hpp"
#include "wire/bt/message.hpp"

namespace convoy::swarm {

/// The counters of the swarm. `reason` labels are the engine's own codes: a bounded set.
class SwarmMetrics {
 public:
  explicit SwarmMetrics(net::Metrics&);
  void refused(const std::string& code);

  net::Counter& from_origin;
  net::Counter& from_peers;
  net::Counter& over_border;
  net::Counter& uploaded;
  net::Counter& redundant;
  net::Counter& pieces_failed;
  net::Counter& banned;
  net::Gauge& peers;

 private:
  net::Metrics& metrics_;
};

/// What all parts of one engine use. Outlives every task of the group.
struct Env {
  Env(net::Executor, net::WorkerPool&, const EngineOptions&, const Clock&, Random&,
      security::AuditLog&, net::Metrics&, Logger);

  net::Executor executor;
  net::WorkerPool& pool;
  const Clock& clock;
  Random& random;
  security::AuditLog& audit;
  SwarmMetrics metrics;
  Logger log;
  security::TicketVerifier tickets;
  std::string cluster;
  std::string self{};          ///< own identity, as peer_identity() has it
  std::uint32_t identity = 1;  ///< counts replacements of the identity
  bt::PeerId peer_id{};
  std::optional<std::uint16_t> listen_port{};  ///< told to peers, once there is a listener
  net::TaskGroup tasks;
  std::shared_ptr<core::Traffic> traffic;
  Uplink uplink;

  core::Instant now() const { return clock.steady(); }
};

}  // namespace convoy::swarm
