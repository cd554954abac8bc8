#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/tls.hpp"

struct evp_pkey_st;
struct x509_st;

namespace convoy::test {

/// What a test certificate should be; the default is a good server and client certificate.
struct CertOptions {
  std::string name = "localhost";  ///< common name
  std::string san = "DNS:localhost,IP:127.0.0.1";
  std::string usage = "serverAuth,clientAuth";
  int from_days = -1;
  int to_days = 30;
  std::string ocsp = {};  ///< URL of the responder, "" for none
};

/// What an OCSP responder says of a certificate.
struct OcspOptions {
  bool revoked = false;
  long from_seconds = -10;  ///< relative to now
  std::optional<long> to_seconds = 3600;
};

/// A throw-away certificate authority on P-256 keys, for tests of TLS below convoy_crypto.
class TestCa {
 public:
  explicit TestCa(const std::string& name);
  /// A CA below this one; its identities carry its certificate in their chain.
  TestCa intermediate(const std::string& name) const;
  net::TlsIdentity issue(const CertOptions& = {}) const;
  /// DER, signed by this CA, about the leaf of `chain_pem`, which `issuer` issued.
  Bytes ocsp_answer(const std::string& chain_pem, const TestCa& issuer,
                    const OcspOptions& = {}) const;
  const std::string& root_pem() const { return root_pem_; }

 private:
  TestCa() = default;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> cert_;
  std::string root_pem_;   ///< of the trust anchor
  std::string chain_pem_;  ///< of the intermediates
};

}  // namespace convoy::test
