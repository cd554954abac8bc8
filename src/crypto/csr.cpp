#include <openssl/pem.h>

#include "crypto/certificate.hpp"
#include "crypto/ossl.hpp"

namespace convoy::crypto {
namespace {

using detail::must;

constexpr std::size_t kMaxCsrBytes = 16 * 1024;

Error bad(std::string detail) { return invalid("csr_invalid", std::move(detail)); }

bool strong_signature(const X509_REQ* csr) {
  const int nid = X509_REQ_get_signature_nid(csr);
  return nid == NID_ecdsa_with_SHA256 || nid == NID_ecdsa_with_SHA384 ||
         nid == NID_ecdsa_with_SHA512;
}

Result<Bytes> only_block(std::string_view pem) {
  const detail::BioPtr bio = detail::read_from(pem);
  detail::PemBlock block;
  detail::PemBlock second;
  bool broken = false;
  if (!detail::next_pem(bio.get(), block, broken)) return bad("no request in the PEM text");
  if (block.name != "CERTIFICATE REQUEST") return bad("another kind of PEM block");
  if (detail::next_pem(bio.get(), second, broken) || broken) return bad("more than one PEM block");
  return std::move(block.data);
}

}  // namespace

std::string make_csr(const PrivateKey& key, std::string_view common_name) {
  const detail::X509ReqPtr csr(must(X509_REQ_new()));
  must(X509_REQ_set_version(csr.get(), X509_REQ_VERSION_1) == 1);
  if (!common_name.empty()) {
    must(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(csr.get()), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1);
  }
  must(X509_REQ_set_pubkey(csr.get(), key.public_key().handle()) == 1);
  must(X509_REQ_sign(csr.get(), key.handle(), detail::sha256_md()) > 0);
  const detail::BioPtr bio(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509_REQ(bio.get(), csr.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<PublicKey> csr_public_key(std::string_view pem) {
  if (pem.size() > kMaxCsrBytes) return bad("too long");
  const auto der = only_block(pem);
  if (!der) return der.error();
  const unsigned char* at = der->data();
  const detail::X509ReqPtr csr(d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size())));
  ERR_clear_error();
  if (!csr || at != der->data() + der->size()) return bad("not a PKCS#10 request");
  const EVP_PKEY* key = X509_REQ_get0_pubkey(csr.get());
  auto out = PublicKey::from_spki(key == nullptr ? Bytes() : detail::spki_of(key));
  ERR_clear_error();
  if (!out) return bad("the key is not EC P-256");
  const bool proven = strong_signature(csr.get()) && X509_REQ_verify(csr.get(), out->handle()) == 1;
  ERR_clear_error();
  if (!proven) return bad("the request is not signed by its own key");
  return out;
}

}  // namespace convoy::crypto
