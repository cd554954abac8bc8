#pragma once

#include <optional>

#include "agent/fetch/permit_cache.hpp"
#include "agent/fetch/ticket_desk.hpp"

namespace convoy::agent {

/// Decides whether a request may have a blob, now. The tracker is asked first, the registry when
/// the tracker cannot tell; a refusal of the tracker that the registry does not share leads to the
/// registry's own bytes (its 403 is final). One thread.
class Authorizer {
 public:
  Authorizer(TicketDesk& desk, const Clock& clock, Duration tracker_patience)
      : desk_(desk), clock_(clock), tracker_patience_(tracker_patience) {}

  /// Errors of class unauthorized, denied, not_found are refusals; others mean that nobody could be
  /// asked.
  net::Task<Result<Permit>> permit(BlobAsk, std::optional<Secret> authorization, Deadline);
  /// Every request is decided on anew.
  void forget_all() { granted_ = PermitCache(); }

 private:
  net::Task<Result<Permit>> decide(BlobAsk, std::optional<Secret> authorization, Deadline);
  net::Task<Result<Permit>> by_registry(BlobAsk, std::optional<Secret> authorization, Deadline);

  TicketDesk& desk_;
  const Clock& clock_;
  Duration tracker_patience_;
  PermitCache granted_;
};

/// Whether the error says no to the caller, as opposed to trouble.
bool is_refusal(const Error&);

}  // namespace convoy::agent
