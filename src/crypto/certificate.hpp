#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/key.hpp"

struct x509_st;

namespace convoy::crypto {

/// An X.509 certificate. Immutable, cheap to copy, safe from any thread.
class Certificate {
 public:
  /// Errors "certificate_invalid".
  static Result<Certificate> from_der(ByteView);
  static Result<Certificate> from_pem(std::string_view);
  /// One that OpenSSL has parsed. The same errors.
  static Result<Certificate> from_parsed(std::shared_ptr<x509_st>);
  /// Every certificate of a PEM text, in order; at least one, at most 32.
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view);

  Bytes der() const;
  std::string pem() const;
  Hash256 thumbprint() const;    ///< SHA-256 of the DER: RFC 8705 x5t#S256
  PublicKey public_key() const;  ///< P-256 only; others end in "certificate_invalid" at parsing
  std::string common_name() const;
  std::string serial_hex() const;
  std::vector<std::string> dns_names() const;  ///< a name with a NUL inside is left out
  std::vector<std::string> uris() const;
  UnixTime not_before() const;
  UnixTime not_after() const;
  bool is_ca() const;
  bool is_self_issued() const;  ///< subject and issuer are one name: a root

  explicit Certificate(std::shared_ptr<x509_st> c) : cert_(std::move(c)) {}
  x509_st* handle() const { return cert_.get(); }

 private:
  std::shared_ptr<x509_st> cert_;
};

std::string chain_pem(const std::vector<Certificate>&);

/// What a certificate is issued for. Each use is checked by verify_chain.
enum class CertUse : std::uint8_t {
  ca,               ///< may issue certificates (pathlen as given)
  server,           ///< TLS server
  node,             ///< TLS server and client: peers and clients of the tracker
  ticket_signer,    ///< signs tickets; extended key usage 1.3.6.1.4.1.61722.1.1
  token_signer,     ///< signs registry tokens; 1.3.6.1.4.1.61722.1.2
  metadata_signer,  ///< signs blob metadata; 1.3.6.1.4.1.61722.1.3
};

struct CertSpec {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ips;
  std::vector<std::string> uris;
  CertUse use = CertUse::node;
  int path_length = 0;    ///< of a CA: how many CAs may follow below it, at least 0
  UnixTime not_before{};  ///< the issuer backdates by itself where it wants to
  UnixTime not_after{};
};

/// 128-bit random serial. `key` is the subject's. `ips` must be literal addresses; ends the process
/// otherwise (as for a common name beyond 64 characters).
Certificate self_sign(const CertSpec&, const PrivateKey& key, Random&);
Certificate issue(const CertSpec&, const PublicKey& subject, const Certificate& issuer,
                  const PrivateKey& issuer_key, Random&);

/// When something counts; `until` is the first second when it does not.
struct Validity {
  UnixTime from{};
  UnixTime until{};
  bool covers(UnixTime now) const { return from <= now && now < until; }
};

/// Checks leaf -> intermediates -> one of `roots` at `now`, and that the leaf may be used so.
/// Returns when all certificates of that chain are valid.
/// Errors (unauthorized): "certificate_expired", "certificate_not_yet_valid",
/// "certificate_untrusted", "certificate_wrong_use".
Result<Validity> verify_chain(const Certificate& leaf,
                              const std::vector<Certificate>& intermediates,
                              const std::vector<Certificate>& roots, CertUse use, UnixTime now);

/// A PKCS#10 request carrying nothing but the public key and a common name.
std::string make_csr(const PrivateKey&, std::string_view common_name);
/// Takes the public key out of a CSR after checking its self-signature; names and
/// extensions in it are not even looked at. At most 16 KiB. Error "csr_invalid".
Result<PublicKey> csr_public_key(std::string_view pem);

}  // namespace convoy::crypto
