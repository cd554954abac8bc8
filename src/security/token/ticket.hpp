#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/jws.hpp"
#include "security/identity/spiffe.hpp"
#include "wire/bt/zone.hpp"
#include "wire/oci/digest.hpp"

// docs/protocols/ticket.md
namespace convoy::security {

inline constexpr std::chrono::seconds kMaxTicketLifetime{600};
/// How far clocks may differ.
inline constexpr std::chrono::seconds kTokenLeeway{60};

struct TicketActions {
  bool leech = false;  ///< may take pieces
  bool seed = false;   ///< may give pieces
  bool operator==(const TicketActions&) const = default;
};

/// What a ticket says.
struct Ticket {
  SpiffeId issuer;
  SpiffeId subject;
  std::string cluster;
  oci::Digest digest;
  Hash256 info_hash{};
  TicketActions actions;
  Hash256 certificate{};  ///< thumbprint of the node's certificate
  UnixTime issued_at{};
  UnixTime not_before{};
  UnixTime expires{};
  std::string id;
  bt::Zone zone{};  ///< where the node says it stands: which way bytes go, never a right
};

struct TicketGrant {
  SpiffeId subject;
  Hash256 certificate{};  ///< Certificate::thumbprint() of the node's current one
  oci::Digest digest;
  Hash256 info_hash{};
  TicketActions actions;
  std::chrono::seconds lifetime = kMaxTicketLifetime;  ///< longer ones are cut to the maximum
  bt::Zone zone{};
};

/// Signs tickets. Safe from any thread if the Random is; clock and Random must outlive it.
class TicketIssuer {
 public:
  /// `issuer` is the tracker's own identity; the signer's chain leads to the cluster root.
  TicketIssuer(crypto::Signer signer, SpiffeId issuer, const Clock& clock, Random& random)
      : signer_(std::move(signer)), issuer_(std::move(issuer)), clock_(&clock), random_(&random) {}

  std::string issue(const TicketGrant&) const;

 private:
  crypto::Signer signer_;
  SpiffeId issuer_;
  const Clock* clock_;
  Random* random_;
};

/// What a connection demands of the ticket shown on it.
struct TicketDemand {
  oci::Digest digest;
  Hash256 info_hash{};
  TicketActions actions;  ///< all that are set must be in the ticket
};

/// Checks tickets against the cluster's roots. Safe from any thread.
class TicketVerifier {
 public:
  TicketVerifier(std::string cluster, std::vector<crypto::Certificate> roots, const Clock& clock)
      : cluster_(std::move(cluster)),
        signers_(std::make_shared<crypto::SignerTrust>(std::move(roots),
                                                       crypto::CertUse::ticket_signer)),
        clock_(&clock) {}

  /// `connection` is the certificate the peer showed in the TLS handshake the ticket came over.
  /// Errors, first failure first: invalid "ticket_malformed"; unauthorized "ticket_signature",
  /// "ticket_expired", "ticket_not_yet_valid", "ticket_audience", "ticket_wrong_cluster",
  /// "ticket_wrong_blob", "ticket_wrong_certificate", "ticket_wrong_subject"; denied
  /// "ticket_wrong_action".
  Result<Ticket> verify(std::string_view compact, const crypto::Certificate& connection,
                        const TicketDemand&) const;

 private:
  std::string cluster_;
  std::shared_ptr<crypto::SignerTrust> signers_;
  const Clock* clock_;
};

}  // namespace convoy::security
