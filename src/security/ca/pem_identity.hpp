#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/jws.hpp"

namespace convoy::security {

/// A certificate chain (leaf first) and the leaf's private key, as they stand in files.
struct PemIdentity {
  std::string chain_pem;
  Secret key_pem;
};

/// Reads both and checks that the key is the leaf's. Error "identity_invalid".
Result<crypto::Signer> load_signer(std::string_view chain_pem, const Secret& key_pem);
inline Result<crypto::Signer> load_signer(const PemIdentity& pem) {
  return load_signer(pem.chain_pem, pem.key_pem);
}

}  // namespace convoy::security
