#include "security/ca/pem_identity.hpp"

namespace convoy::security {

Result<crypto::Signer> load_signer(std::string_view chain_pem, const Secret& key_pem) {
  auto chain = crypto::Certificate::chain_from_pem(chain_pem);
  if (!chain) return invalid("identity_invalid", "chain: " + chain.error().detail());
  auto key = crypto::PrivateKey::from_pem(key_pem);
  if (!key) return invalid("identity_invalid", "key: " + key.error().detail());
  if (key->public_key().spki() != chain->front().public_key().spki()) {
    return invalid("identity_invalid", "the key is not that of the first certificate");
  }
  return crypto::Signer{*key, std::move(*chain)};
}

}  // namespace convoy::security
