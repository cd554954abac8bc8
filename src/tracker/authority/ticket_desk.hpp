#pragma once

#include <chrono>
#include <string>

#include "security/token/ticket.hpp"
#include "tracker/authority/calls.hpp"
#include "tracker/authority/metadata_source.hpp"
#include "tracker/authority/pull_check.hpp"
#include "tracker/authority/registries.hpp"
#include "tracker/peers/grant_table.hpp"
#include "tracker/peers/peer_table.hpp"

namespace convoy::tracker {

struct TicketGiven {
  std::string ticket;  ///< "" when TicketCall::known is the blob's
  std::chrono::seconds expires_in{0};
  KnownBlobPtr blob;
  HandOut peers;
  bt::Zone zone;
  std::string subject;  ///< the user, for the audit log
};

/// Decides on tickets, in the order of tracker-api.md: identity (the caller has one), registry,
/// user, blob, then the ticket and the seat in the swarm. One thread.
class TicketDesk {
 public:
  struct Parts {
    const Registries& registries;
    PullCheck& pulls;
    MetadataSource& metadata;
    const security::TicketIssuer& issuer;
    GrantTable& grants;
    PeerTable& peers;
    const Clock& clock;
    std::chrono::seconds lifetime{600};
  };

  explicit TicketDesk(const Parts& parts) : parts_(parts) {}

  /// Errors: those of PullCheck and MetadataSource; invalid "body_invalid"; denied
  /// "origin_cannot_leech", "origin_wrong_registry"; not_found "registry_unknown"; exhausted
  /// "tracker_full".
  net::Task<Result<TicketGiven>> give(Caller caller, TicketCall call, std::string request_id);

 private:
  Result<TicketGiven> give_origin(const Caller&, const TicketCall&, const Registry&);
  Result<TicketGiven> issue(const Caller&, const TicketCall&, KnownBlobPtr, std::string subject);

  Parts parts_;
};

/// Whether this node may act as the registry's origin. Denied "origin_only" (not of that kind) or
/// "origin_wrong_registry".
Status may_be_origin(const Caller&, const Registry&);

}  // namespace convoy::tracker
