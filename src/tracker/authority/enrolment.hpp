#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "net/login_alert.hpp"
#include "net/turn.hpp"
#include "net/worker_pool.hpp"
#include "security/ca/authority.hpp"
#include "security/ca/join_token.hpp"
#include "security/ca/revoked_nodes.hpp"
#include "security/identity/brute_force.hpp"
#include "tracker/authority/calls.hpp"

namespace convoy::tracker {

struct Enrolled {
  security::SpiffeId id;
  std::string zone;       ///< fixed by the join token; "": as the node says
  std::string chain_pem;  ///< leaf and issuing CA
};

/// Lets nodes in: a join token once (again only for the same node and key, whose answer may have
/// been lost), then renewal by the certificate itself. A CSR decides nothing but the public key.
/// One thread.
class EnrolmentOffice {
 public:
  EnrolmentOffice(security::ClusterAuthority authority,
                  std::shared_ptr<security::JoinTokenStore> tokens,
                  std::shared_ptr<security::RevokedNodes> revoked, net::Executor executor,
                  net::WorkerPool& pool, std::chrono::seconds lifetime, const Clock& clock,
                  net::LoginAlert alert)
      : authority_(std::move(authority)),
        tokens_(std::move(tokens)),
        revoked_(std::move(revoked)),
        pool_(pool),
        lifetime_(lifetime),
        clock_(clock),
        asking_(std::move(executor)),
        alert_(std::move(alert)) {}

  /// Those of one address go one after the other. Errors: exhausted "enrol_slowed" after failures
  /// from this address, which are told; invalid "csr_invalid", "spiffe_id_invalid"; unauthorized
  /// "join_token_invalid"; conflict "node_name_taken" when a token that is bound to no name asks
  /// for one that is in use; denied "node_revoked"; unavailable "authority_expired". Only success
  /// uses the token up.
  net::Task<Result<Enrolled>> enrol(EnrolCall, std::string remote_ip);
  Result<Enrolled> renew(const Caller&, const std::string& csr_pem);

  const security::ClusterAuthority& authority() const { return authority_; }

 private:
  net::Task<Result<Enrolled>> admit(EnrolCall);

  security::ClusterAuthority authority_;
  std::shared_ptr<security::JoinTokenStore> tokens_;
  std::shared_ptr<security::RevokedNodes> revoked_;
  net::WorkerPool& pool_;
  std::chrono::seconds lifetime_;
  const Clock& clock_;
  security::BruteForceGuard guard_;
  net::Turns asking_;  ///< by address
  net::LoginAlert alert_;
};

}  // namespace convoy::tracker
