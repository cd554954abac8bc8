#include "crypto/certificate.hpp"
#include "fuzz/fuzz.hpp"

using namespace convoy;

// The DER of a certificate request, put into PEM so that mutations reach the parser below it.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto base64 = to_base64({data, size});
  std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\n";
  for (std::size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
  pem += "-----END CERTIFICATE REQUEST-----\n";
  if (const auto key = crypto::csr_public_key(pem)) {
    fuzz::check(crypto::PublicKey::from_spki(key->spki()).ok());
  }
  return 0;
}
