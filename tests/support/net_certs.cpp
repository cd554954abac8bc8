#include "support/net_certs.hpp"

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace convoy::test {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Cert = std::shared_ptr<X509>;

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

Key make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX ctx{};
  X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str());
  check(extension != nullptr, "extension");
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

Cert blank(const std::string& name, const Key& key, int from_days, int to_days) {
  Cert cert(X509_new(), X509_free);
  X509_set_version(cert.get(), X509_VERSION_3);
  unsigned char serial[15];
  RAND_bytes(serial, sizeof serial);
  serial[0] |= 1;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert.get()));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), 86400L * from_days);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400L * to_days);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return cert;
}

Cert make_ca(const std::string& name, const Key& key, X509* issuer, EVP_PKEY* issuer_key) {
  Cert cert = blank(name, key, -1, 365);
  X509* above = issuer == nullptr ? cert.get() : issuer;
  X509_set_issuer_name(cert.get(), X509_get_subject_name(above));
  extend(cert.get(), above, NID_basic_constraints, "critical,CA:TRUE");
  extend(cert.get(), above, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(cert.get(), above, NID_subject_key_identifier, "hash");
  extend(cert.get(), above, NID_authority_key_identifier, "keyid:always");
  check(X509_sign(cert.get(), issuer_key, EVP_sha256()) > 0, "sign");
  return cert;
}

template <class F>
std::string pem(F write) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  check(write(bio.get()) == 1, "pem");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string cert_pem(X509* cert) {
  return pem([&](BIO* out) { return PEM_write_bio_X509(out, cert); });
}

}  // namespace

TestCa::TestCa(const std::string& name) : key_(make_key()) {
  cert_ = make_ca(name, key_, nullptr, key_.get());
  root_pem_ = cert_pem(cert_.get());
}

TestCa TestCa::intermediate(const std::string& name) const {
  TestCa out;
  out.key_ = make_key();
  out.cert_ = make_ca(name, out.key_, cert_.get(), key_.get());
  out.root_pem_ = root_pem_;
  out.chain_pem_ = cert_pem(out.cert_.get()) + chain_pem_;
  return out;
}

net::TlsIdentity TestCa::issue(const CertOptions& options) const {
  const Key key = make_key();
  const Cert cert = blank(options.name, key, options.from_days, options.to_days);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert_.get()));
  extend(cert.get(), cert_.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(cert.get(), cert_.get(), NID_key_usage, "critical,digitalSignature");
  extend(cert.get(), cert_.get(), NID_ext_key_usage, options.usage);
  extend(cert.get(), cert_.get(), NID_subject_alt_name, options.san);
  extend(cert.get(), cert_.get(), NID_subject_key_identifier, "hash");
  extend(cert.get(), cert_.get(), NID_authority_key_identifier, "keyid:always");
  if (!options.ocsp.empty()) {
    extend(cert.get(), cert_.get(), NID_info_access, "OCSP;URI:" + options.ocsp);
  }
  check(X509_sign(cert.get(), key_.get(), EVP_sha256()) > 0, "sign");
  net::TlsIdentity out;
  out.chain_pem = cert_pem(cert.get()) + chain_pem_;
  out.key_pem = Secret(pem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  return out;
}

Bytes TestCa::ocsp_answer(const std::string& chain_pem, const TestCa& issuer,
                          const OcspOptions& options) const {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> text(
      BIO_new_mem_buf(chain_pem.data(), static_cast<int>(chain_pem.size())), BIO_free_all);
  const Cert leaf(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
  const auto time = [](long seconds) {
    return std::shared_ptr<ASN1_TIME>(X509_gmtime_adj(nullptr, seconds), ASN1_TIME_free);
  };
  const auto revoked = time(-100);
  const auto from = time(options.from_seconds);
  const auto to = time(options.to_seconds.value_or(0));
  const std::shared_ptr<OCSP_BASICRESP> basic(OCSP_BASICRESP_new(), OCSP_BASICRESP_free);
  const std::shared_ptr<OCSP_CERTID> id(OCSP_cert_to_id(nullptr, leaf.get(), issuer.cert_.get()),
                                        OCSP_CERTID_free);
  const int status = options.revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
  check(OCSP_basic_add1_status(basic.get(), id.get(), status, 0,
                               options.revoked ? revoked.get() : nullptr, from.get(),
                               options.to_seconds ? to.get() : nullptr) != nullptr,
        "status");
  check(OCSP_basic_sign(basic.get(), cert_.get(), key_.get(), EVP_sha256(), nullptr,
                        OCSP_NOCERTS) == 1,
        "sign");
  const std::shared_ptr<OCSP_RESPONSE> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()), OCSP_RESPONSE_free);
  Bytes out(static_cast<std::size_t>(i2d_OCSP_RESPONSE(response.get(), nullptr)));
  unsigned char* at = out.data();
  i2d_OCSP_RESPONSE(response.get(), &at);
  return out;
}

}  // namespace convoy::test
