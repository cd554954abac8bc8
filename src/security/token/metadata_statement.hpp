#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/jws.hpp"
#include "wire/bt/metadata.hpp"

// docs/protocols/metadata.md
namespace convoy::security {

inline constexpr std::chrono::seconds kMetadataLifetime{24 * 3600};

/// What the registry states of a blob.
struct MetadataStatement {
  std::string issuer;
  bt::BlobMeta meta;
  UnixTime issued_at{};
  UnixTime expires{};
};

/// Safe from any thread; the clock must outlive it.
class MetadataSigner {
 public:
  MetadataSigner(crypto::Signer signer, std::string issuer, const Clock& clock)
      : signer_(std::move(signer)), issuer_(std::move(issuer)), clock_(&clock) {}

  std::string sign(const bt::BlobMeta&) const;

 private:
  crypto::Signer signer_;
  std::string issuer_;
  const Clock* clock_;
};

/// Whose statements are believed: one registry's.
struct MetadataTrust {
  std::vector<crypto::Certificate> roots;
  std::string issuer;
};

/// Safe from any thread; the clock must outlive it.
class MetadataVerifier {
 public:
  MetadataVerifier(MetadataTrust trust, const Clock& clock)
      : signers_(std::make_shared<crypto::SignerTrust>(std::move(trust.roots),
                                                       crypto::CertUse::metadata_signer)),
        issuer_(std::move(trust.issuer)),
        clock_(&clock) {}

  /// Errors: invalid "metadata_malformed"; unauthorized "metadata_signature",
  /// "metadata_expired", "metadata_not_yet_valid", "metadata_wrong_issuer",
  /// "metadata_wrong_blob".
  Result<MetadataStatement> verify(std::string_view compact, const oci::Digest& asked) const;

 private:
  std::shared_ptr<crypto::SignerTrust> signers_;
  std::string issuer_;
  const Clock* clock_;
};

}  // namespace convoy::security
