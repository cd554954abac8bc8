#include "security/token/token_pki.hpp"

#include <string>

#include "security/ca/authority.hpp"

namespace convoy::security {
namespace {

constexpr std::chrono::seconds kDay{24 * 3600};

crypto::CertSpec spec_of(crypto::CertUse use, std::string common_name, UnixTime now,
                         std::chrono::seconds lifetime) {
  crypto::CertSpec spec;
  spec.common_name = std::move(common_name);
  spec.use = use;
  spec.not_before = now - kBackdate;
  spec.not_after = now + lifetime;
  return spec;
}

PemIdentity signer_below(const crypto::Certificate& ca, const crypto::PrivateKey& ca_key,
                         const crypto::CertSpec& spec, Random& random) {
  const auto key = crypto::PrivateKey::generate();
  const auto cert = crypto::issue(spec, key.public_key(), ca, ca_key, random);
  return {crypto::chain_pem({cert, ca}), key.to_pem()};
}

}  // namespace

RegistryPki create_registry_pki(std::string_view name, UnixTime now, Random& random) {
  const std::string who(name.substr(0, 32));
  const auto ca_key = crypto::PrivateKey::generate();
  const auto ca = crypto::self_sign(
      spec_of(crypto::CertUse::ca, "Convoy token CA " + who, now, 3650 * kDay), ca_key, random);
  const auto token =
      spec_of(crypto::CertUse::token_signer, "Convoy token signer " + who, now, 365 * kDay);
  const auto metadata =
      spec_of(crypto::CertUse::metadata_signer, "Convoy metadata signer " + who, now, 365 * kDay);
  return {{ca.pem(), ca_key.to_pem()},
          signer_below(ca, ca_key, token, random),
          signer_below(ca, ca_key, metadata, random)};
}

}  // namespace convoy::security
