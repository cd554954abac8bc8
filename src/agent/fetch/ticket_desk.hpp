#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/fetch/ask.hpp"
#include "agent/identity/cluster.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "security/audit/audit.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// The right to take part in the swarm of one blob, everything in it verified.
struct SwarmPass {
  bt::BlobMeta meta;
  bt::InfoHash info_hash{};
  swarm::Grant grant;
};

/// What a failed ticket request means for the pull.
enum class TicketFailure : std::uint8_t {
  refused,   ///< the user may not have the blob, or it is not there
  no_swarm,  ///< says nothing about the user: tracker gone, registry not known to it, node refused
};
TicketFailure classify_ticket_error(const Error&);

/// Gets tickets from the tracker and trusts nothing in the answer: the metadata statement is
/// verified against the registry's roots, the info-hash is computed here. One thread.
class TicketDesk {
 public:
  /// `zone`: where the node is configured to stand; what its join token says comes before it.
  TicketDesk(const Cluster& cluster, bt::Zone zone, const Clock& clock, security::AuditLog& audit,
             Logger log)
      : cluster_(cluster),
        zone_(std::move(zone)),
        clock_(clock),
        audit_(audit),
        log_(std::move(log)) {}

  /// Errors: the tracker's own; unavailable "not_enrolled", "registry_not_in_cluster",
  /// "tracker_resting" (it was out of reach moments ago), "swarm_metadata_refused".
  net::Task<Result<SwarmPass>> ask(BlobAsk, std::optional<Secret> authorization, Deadline);
  /// The same of a swarm that the node is in; a grant without a ticket where `known` says that the
  /// one it has for this info-hash will do.
  net::Task<Result<swarm::Grant>> renew(BlobAsk, std::optional<Secret> authorization,
                                        std::optional<bt::InfoHash> known, Deadline);
  /// Whether the tracker answered when it was last asked.
  bool tracker_up() const { return !resting_; }

 private:
  net::Task<Result<clients::TicketReply>> call(ClusterLinkPtr, BlobAsk,
                                               std::optional<Secret> authorization,
                                               std::optional<bt::InfoHash> known, Deadline);
  Result<SwarmPass> check(const ClusterLink&, const BlobAsk&, clients::TicketReply);

  const Cluster& cluster_;
  bt::Zone zone_;
  const Clock& clock_;
  security::AuditLog& audit_;
  Logger log_;
  bool resting_ = false;
  SteadyTime rest_until_{};
};

}  // namespace convoy::agent
