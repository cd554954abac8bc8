#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/jws.hpp"
#include "wire/auth/scope.hpp"

// The bearer token of Docker's token authentication (distribution, docs "Token Authentication
// Implementation"): ES256, typ "JWT", x5c, RFC 7638 kid.
namespace convoy::security {

struct RegistryToken {
  std::string subject;  ///< "" for an anonymous user
  std::vector<auth::Access> access;
  UnixTime issued_at{};
  UnixTime expires{};
  std::string id;
};

struct IssuedRegistryToken {
  std::string token;
  UnixTime issued_at{};
  std::chrono::seconds expires_in{};
};

/// Signs tokens. Safe from any thread if the Random is; clock and Random must outlive it.
class RegistryTokenIssuer {
 public:
  RegistryTokenIssuer(crypto::Signer signer, std::string issuer, std::string audience,
                      std::chrono::seconds lifetime, const Clock& clock, Random& random)
      : signer_(std::move(signer)),
        issuer_(std::move(issuer)),
        audience_(std::move(audience)),
        lifetime_(lifetime),
        clock_(&clock),
        random_(&random) {}

  IssuedRegistryToken issue(std::string_view subject, const std::vector<auth::Access>&) const;

 private:
  crypto::Signer signer_;
  std::string issuer_;
  std::string audience_;
  std::chrono::seconds lifetime_;
  const Clock* clock_;
  Random* random_;
};

/// Whose tokens are believed. A key that rolls over needs no change here: it comes in x5c.
struct RegistryTokenTrust {
  std::vector<crypto::Certificate> roots;  ///< the registry's token CA
  std::string issuer;
  std::string audience;
};

/// Checks tokens without a database. Safe from any thread.
class RegistryTokenVerifier {
 public:
  RegistryTokenVerifier(RegistryTokenTrust trust, const Clock& clock)
      : signers_(std::make_shared<crypto::SignerTrust>(std::move(trust.roots),
                                                       crypto::CertUse::token_signer)),
        issuer_(std::move(trust.issuer)),
        audience_(std::move(trust.audience)),
        clock_(&clock) {}

  /// All errors are unauthorized: "token_malformed", "token_algorithm", "token_type",
  /// "token_chain", "token_signature", "certificate_…" of verify_chain, "token_issuer",
  /// "token_audience", "token_expired", "token_not_yet_valid".
  Result<RegistryToken> verify(std::string_view compact) const;

 private:
  std::shared_ptr<crypto::SignerTrust> signers_;
  std::string issuer_;
  std::string audience_;
  const Clock* clock_;
};

}  // namespace convoy::security
