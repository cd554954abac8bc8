#pragma once

#include <mutex>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "crypto/key.hpp"

namespace convoy::crypto {

/// Whose signatures count: holders of a certificate for `use` that leads to one of `roots`. The
/// chains last found good are remembered, each while all its certificates are valid: a crowd of
/// nodes shows tokens of one signer. Safe from any thread.
class SignerTrust {
 public:
  SignerTrust(std::vector<Certificate> roots, CertUse use) : roots_(std::move(roots)), use_(use) {}

  /// The key of the first of `x5c` (DER, leaf first; RFC 7515 4.1.6). Errors (unauthorized):
  /// "token_chain" and those of verify_chain.
  Result<PublicKey> key_of(const std::vector<Bytes>& x5c, UnixTime now);

 private:
  struct Known {
    Hash256 chain{};
    Validity validity;
    PublicKey key;
  };
  std::optional<PublicKey> find(const Hash256& chain, UnixTime now);
  void remember(Known);

  std::vector<Certificate> roots_;
  CertUse use_;
  std::mutex mutex_;
  std::vector<Known> known_;
  std::size_t next_ = 0;  ///< whose place the next one takes
};

}  // namespace convoy::crypto
