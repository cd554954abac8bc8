#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/certificate.hpp"
#include "security/ca/pem_identity.hpp"
#include "security/identity/spiffe.hpp"

namespace convoy::security {

/// How far a certificate's beginning lies back, for nodes whose clock is behind.
inline constexpr std::chrono::seconds kBackdate{300};
inline constexpr std::chrono::seconds kDefaultNodeLifetime{24 * 3600};
inline constexpr std::chrono::seconds kMaxNodeLifetime{30 * 24 * 3600};

/// All a new cluster needs. The root key is used only here and when the issuing CA rolls over:
/// keep it off the tracker.
struct ClusterPki {
  PemIdentity root;           ///< the root certificate alone, 10 years
  PemIdentity issuing;        ///< the issuing CA's certificate alone, 5 years
  PemIdentity ticket_signer;  ///< leaf and issuing CA, 1 year
  PemIdentity tracker;        ///< node certificate of the tracker and issuing CA, 1 year
};

/// Error "spiffe_id_invalid" when a name is not fit for a SpiffeId.
Result<ClusterPki> create_cluster_pki(std::string_view trust_domain, std::string_view cluster,
                                      UnixTime now, Random&,
                                      std::string_view tracker_name = "tracker-1");

struct IssuedCertificate {
  crypto::Certificate certificate;
  std::string chain_pem;  ///< the certificate and the issuing CA
};

/// The cluster's issuing CA. Safe from any thread if the Random is; clock and Random must
/// outlive it.
class ClusterAuthority {
 public:
  /// Checks that the key is the issuing CA's and that it stands below the root.
  /// Error "authority_invalid".
  static Result<ClusterAuthority> make(std::string_view issuing_cert_pem,
                                       const Secret& issuing_key_pem, std::string_view root_pem,
                                       std::string trust_domain, std::string cluster, const Clock&,
                                       Random&);

  /// A certificate for TLS both ways whose only name is the identity. `key` is all that a
  /// CSR decides. It begins 5 minutes ago and never outlives the issuing CA.
  /// Errors: denied "identity_denied" (another cluster or trust domain, kind tracker, a name
  /// that is not valid); invalid "lifetime_invalid" (not in 60 s … 30 days); unavailable
  /// "authority_expired".
  Result<IssuedCertificate> issue_node(const SpiffeId&, const crypto::PublicKey& key,
                                       std::chrono::seconds lifetime = kDefaultNodeLifetime) const;
  /// Error unavailable "authority_expired".
  Status in_force() const;

  const std::string& trust_domain() const { return trust_domain_; }
  const std::string& cluster() const { return cluster_; }
  const crypto::Certificate& root() const { return root_; }
  const crypto::Certificate& issuing() const { return issuing_; }

 private:
  ClusterAuthority(crypto::Certificate issuing, crypto::PrivateKey key, crypto::Certificate root,
                   std::string trust_domain, std::string cluster, const Clock& clock,
                   Random& random)
      : issuing_(std::move(issuing)),
        key_(std::move(key)),
        root_(std::move(root)),
        trust_domain_(std::move(trust_domain)),
        cluster_(std::move(cluster)),
        clock_(&clock),
        random_(&random) {}

  crypto::Certificate issuing_;
  crypto::PrivateKey key_;
  crypto::Certificate root_;
  std::string trust_domain_;
  std::string cluster_;
  const Clock* clock_;
  Random* random_;
};

/// The half of a certificate's life: when its holder asks for the next one.
UnixTime renew_at(const crypto::Certificate&);

}  // namespace convoy::security
