#include "crypto/certificate.hpp"
#include "fuzz/fuzz.hpp"

using namespace convoy;

// What strangers send as certificates and requests: DER, PEM and CSR.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  const auto look_at = [](const crypto::Certificate& c) {
    (void)c.thumbprint();
    (void)c.common_name();
    (void)c.serial_hex();
    (void)c.uris();
    (void)c.not_before();
    (void)c.not_after();
    (void)c.is_ca();
    for (const auto& name : c.dns_names()) fuzz::check(name.find('\0') == std::string::npos);
    fuzz::check(crypto::Certificate::from_der(c.der()).ok());
    fuzz::check(!c.public_key().spki().empty());
    (void)crypto::verify_chain(c, {}, {c}, crypto::CertUse::node,
                               UnixTime(std::chrono::seconds(1'700'000'000)))
        .ok();
  };
  if (const auto c = crypto::Certificate::from_der({data, size})) look_at(*c);
  if (const auto chain = crypto::Certificate::chain_from_pem(text)) {
    fuzz::check(!chain->empty() && chain->size() <= 32);
    for (const auto& c : *chain) look_at(c);
  }
  if (const auto key = crypto::csr_public_key(text)) fuzz::check(!key->spki().empty());
  return 0;
}
