#include <algorithm>

#include "crypto/certificate.hpp"
#include "crypto/hash.hpp"
#include "crypto/ossl.hpp"
#include "crypto/use.hpp"

namespace convoy::crypto {
namespace {

using detail::must;

constexpr std::size_t kSerialBytes = 16;
constexpr std::size_t kKeyIdBytes = 20;

template <auto Free, class T>
void add_extension(X509* cert, int nid, T* value, bool critical) {
  const std::unique_ptr<T, detail::Deleter<Free>> owner(must(value));
  must(X509_add1_ext_i2d(cert, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1);
}

void set_serial(X509* cert, Random& random) {
  std::array<std::uint8_t, kSerialBytes> bytes;
  random.fill(bytes);
  bytes[0] |= 1;  // RFC 5280 4.1.2.2: never zero
  const detail::BnPtr number(
      must(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)));
  must(must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert))) != nullptr);
}

void set_time(ASN1_TIME* field, UnixTime t) {
  must(must(ASN1_TIME_set(field, static_cast<time_t>(t.time_since_epoch().count()))) != nullptr);
}

void set_subject(X509* cert, const std::string& common_name) {
  if (common_name.empty()) return;
  X509_NAME* name = X509_get_subject_name(cert);
  must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1);
}

void push_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* name = must(GENERAL_NAME_new());
  GENERAL_NAME_set0_value(name, type, must(value));
  must(sk_GENERAL_NAME_push(names, name) > 0);
}

ASN1_STRING* ia5(const std::string& text) {
  ASN1_STRING* s = must(ASN1_IA5STRING_new());
  must(ASN1_STRING_set(s, text.data(), static_cast<int>(text.size())) == 1);
  return s;
}

void add_names(X509* cert, const CertSpec& spec) {
  if (spec.dns_names.empty() && spec.ips.empty() && spec.uris.empty()) return;
  GENERAL_NAMES* names = must(GENERAL_NAMES_new());
  for (const auto& dns : spec.dns_names) push_name(names, GEN_DNS, ia5(dns));
  for (const auto& ip : spec.ips) push_name(names, GEN_IPADD, a2i_IPADDRESS(ip.c_str()));
  for (const auto& uri : spec.uris) push_name(names, GEN_URI, ia5(uri));
  add_extension<detail::free_names>(cert, NID_subject_alt_name, names, spec.common_name.empty());
}

void add_constraints(X509* cert, const CertSpec& spec) {
  BASIC_CONSTRAINTS* basic = must(BASIC_CONSTRAINTS_new());
  if (spec.use == CertUse::ca) {
    basic->ca = 0xff;  // DER has one spelling of TRUE, and Go refuses every other
    basic->pathlen = must(ASN1_INTEGER_new());
    must(ASN1_INTEGER_set(basic->pathlen, std::max(spec.path_length, 0)) == 1);
  }
  add_extension<BASIC_CONSTRAINTS_free>(cert, NID_basic_constraints, basic, true);
}

void add_key_usage(X509* cert, CertUse use) {
  ASN1_BIT_STRING* bits = must(ASN1_BIT_STRING_new());
  // RFC 5280 4.2.1.3: digitalSignature is bit 0, keyCertSign 5, cRLSign 6.
  for (const int bit : use == CertUse::ca ? std::vector<int>{5, 6} : std::vector<int>{0}) {
    must(ASN1_BIT_STRING_set_bit(bits, bit, 1) == 1);
  }
  add_extension<ASN1_BIT_STRING_free>(cert, NID_key_usage, bits, true);
}

void add_extended_usage(X509* cert, CertUse use) {
  const auto oids = detail::usages_of(use);
  if (oids.empty()) return;
  EXTENDED_KEY_USAGE* usage = must(EXTENDED_KEY_USAGE_new());
  for (const char* oid : oids) must(sk_ASN1_OBJECT_push(usage, must(OBJ_txt2obj(oid, 1))) > 0);
  add_extension<detail::free_usage>(cert, NID_ext_key_usage, usage, false);
}

/// RFC 7093 method 1: the left 160 bits of SHA-256 of the subject key.
Bytes key_id(const PublicKey& key) {
  const Hash256 hash = sha256(key.spki());
  return {hash.begin(), hash.begin() + kKeyIdBytes};
}

ASN1_OCTET_STRING* octets(ByteView bytes) {
  ASN1_OCTET_STRING* s = must(ASN1_OCTET_STRING_new());
  must(ASN1_OCTET_STRING_set(s, bytes.data(), static_cast<int>(bytes.size())) == 1);
  return s;
}

void add_key_ids(X509* cert, const PublicKey& subject, ByteView issuer_key_id) {
  add_extension<ASN1_OCTET_STRING_free>(cert, NID_subject_key_identifier, octets(key_id(subject)),
                                        false);
  AUTHORITY_KEYID* authority = must(AUTHORITY_KEYID_new());
  authority->keyid = octets(issuer_key_id);
  add_extension<AUTHORITY_KEYID_free>(cert, NID_authority_key_identifier, authority, false);
}

Certificate build(const CertSpec& spec, const PublicKey& subject, X509* issuer,
                  const PrivateKey& issuer_key, Random& random) {
  detail::X509Ptr cert(must(X509_new()));
  must(X509_set_version(cert.get(), X509_VERSION_3) == 1);
  set_serial(cert.get(), random);
  set_time(X509_getm_notBefore(cert.get()), spec.not_before);
  set_time(X509_getm_notAfter(cert.get()), spec.not_after);
  set_subject(cert.get(), spec.common_name);
  must(X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer ? issuer : cert.get())) == 1);
  must(X509_set_pubkey(cert.get(), subject.handle()) == 1);
  add_constraints(cert.get(), spec);
  add_key_usage(cert.get(), spec.use);
  add_extended_usage(cert.get(), spec.use);
  const ASN1_OCTET_STRING* id = issuer ? X509_get0_subject_key_id(issuer) : nullptr;
  add_key_ids(cert.get(), subject,
              id ? Bytes(id->data, id->data + id->length) : key_id(issuer_key.public_key()));
  add_names(cert.get(), spec);
  must(X509_sign(cert.get(), issuer_key.handle(), detail::sha256_md()) > 0);
  // Read back: what leaves here has passed the same checks as what comes in.
  unsigned char* der = nullptr;
  const int size = i2d_X509(cert.get(), &der);
  must(size > 0);
  const detail::BufferPtr owner(der);
  auto made = Certificate::from_der({der, static_cast<std::size_t>(size)});
  return std::move(made).value();
}

}  // namespace

std::vector<const char*> detail::usages_of(CertUse use) {
  switch (use) {
    case CertUse::ca:
      return {};
    case CertUse::server:
      return {kServerAuth};
    case CertUse::node:
      return {kServerAuth, kClientAuth};
    case CertUse::ticket_signer:
      return {"1.3.6.1.4.1.61722.1.1"};
    case CertUse::token_signer:
      return {"1.3.6.1.4.1.61722.1.2"};
    case CertUse::metadata_signer:
      return {"1.3.6.1.4.1.61722.1.3"};
  }
  std::abort();
}

Certificate self_sign(const CertSpec& spec, const PrivateKey& key, Random& random) {
  return build(spec, key.public_key(), nullptr, key, random);
}

Certificate issue(const CertSpec& spec, const PublicKey& subject, const Certificate& issuer,
                  const PrivateKey& issuer_key, Random& random) {
  return build(spec, subject, issuer.handle(), issuer_key, random);
}

}  // namespace convoy::crypto
