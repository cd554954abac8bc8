#pragma once

#include <chrono>
#include <string>

#include "tracker/authority/calls.hpp"
#include "tracker/authority/registries.hpp"
#include "tracker/authority/single_flight.hpp"

namespace convoy::tracker {

/// How long a registry's word on a credential is believed.
inline constexpr std::chrono::seconds kPullDecisionLife{10};

/// Who pulls, as far as the credential says. For the audit log.
struct PullRight {
  std::string subject;  ///< "" for an anonymous user or one that only the registry knows
};

/// Whether a user may pull a blob (tracker-api.md, POST /v1/tickets, step 1). One thread.
class PullCheck {
 public:
  PullCheck(net::Executor, net::TaskGroup&, std::size_t max_calls,
            std::chrono::seconds registry_timeout, const Clock&);

  /// Errors: unauthorized "authorization_required", "authorization_invalid",
  /// "authorization_refused", "token_…", "certificate_…"; denied "pull_denied"; not_found
  /// "blob_unknown"; unavailable "registry_unavailable".
  net::Task<Result<PullRight>> check(const Registry& registry, oci::RepoName, oci::Digest,
                                     std::optional<Secret> authorization, std::string request_id);
  void expire(SteadyTime now) { asked_.expire(now); }

 private:
  net::Task<Result<PullRight>> ask(const Registry& registry, oci::RepoName, oci::Digest,
                                   std::optional<Secret> authorization, std::string subject,
                                   std::string request_id);

  SingleFlight<bool> asked_;
  std::chrono::seconds timeout_;
  const Clock& clock_;
};

}  // namespace convoy::tracker
