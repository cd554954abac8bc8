#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "net/tls.hpp"

namespace convoy::agent {

/// The CA of this node for intercepted connections. Made at start, its key lives in memory only: a
/// file stolen from one node cannot intercept another.
class LocalCa {
 public:
  static constexpr std::chrono::hours kLife{24 * 3650};
  /// Clients limit what they accept of a server certificate.
  static constexpr std::chrono::hours kLeafLife{24 * 90};

  static LocalCa create(const std::string& node_name, UnixTime now, Random&);

  std::string certificate_pem() const { return certificate_.pem(); }
  /// A server certificate for these host names and IP addresses, and its key.
  net::TlsIdentity leaf(const std::vector<std::string>& hosts, UnixTime now, Random&) const;

 private:
  LocalCa(crypto::Certificate certificate, crypto::PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  crypto::Certificate certificate_;
  crypto::PrivateKey key_;
};

}  // namespace convoy::agent
