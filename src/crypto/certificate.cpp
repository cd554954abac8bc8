#include "crypto/certificate.hpp"

#include <ctime>
#include <limits>
#include <openssl/pem.h>

#include "crypto/hash.hpp"
#include "crypto/ossl.hpp"

namespace convoy::crypto {
namespace {

using detail::must;

constexpr std::size_t kMaxCertificateBytes = 32 * 1024;
constexpr std::size_t kMaxChainLength = 32;
constexpr std::size_t kMaxPemBytes = 512 * 1024;

Error bad(std::string detail) { return invalid("certificate_invalid", std::move(detail)); }

Bytes encode(X509* cert) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(cert, &out);
  must(size > 0);
  const detail::BufferPtr owner(out);
  return {out, out + size};
}

std::string text_of(const ASN1_STRING* s) {
  const unsigned char* data = ASN1_STRING_get0_data(s);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(ASN1_STRING_length(s))};
}

std::optional<UnixTime> time_of(const ASN1_TIME* t) {
  std::tm tm{};
  if (t == nullptr || ASN1_TIME_to_tm(t, &tm) != 1) return std::nullopt;
  using namespace std::chrono;
  const sys_days day = year(tm.tm_year + 1900) / month(static_cast<unsigned>(tm.tm_mon) + 1) /
                       std::chrono::day(static_cast<unsigned>(tm.tm_mday));
  return UnixTime(day + hours(tm.tm_hour) + minutes(tm.tm_min) + seconds(tm.tm_sec));
}

std::vector<std::string> san_entries(X509* cert, int type) {
  std::vector<std::string> out;
  const detail::NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int found = 0;
    void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &found);
    if (found == type) out.push_back(text_of(static_cast<ASN1_IA5STRING*>(value)));
  }
  return out;
}

/// What OpenSSL parses lazily, looked at once so that a broken extension cannot hide.
Status check_contents(X509* cert) {
  if (!time_of(X509_get0_notBefore(cert)) || !time_of(X509_get0_notAfter(cert))) {
    return bad("unreadable validity");
  }
  X509_check_purpose(cert, -1, 0);
  if ((X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0) return bad("broken extension");
  if (!detail::is_p256(X509_get_X509_PUBKEY(cert)) || X509_get0_pubkey(cert) == nullptr) {
    return bad("the key is not EC P-256");
  }
  return {};
}

}  // namespace

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMaxCertificateBytes) return bad("too long");
  const unsigned char* at = der.data();
  detail::X509Ptr cert(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!cert) return bad("not an X.509 certificate");
  // Two encodings of one certificate would have two thumbprints.
  const Bytes again = encode(cert.get());
  if (!std::equal(again.begin(), again.end(), der.begin(), der.end())) return bad("not DER");
  return from_parsed({cert.release(), X509_free});
}

Result<Certificate> Certificate::from_parsed(std::shared_ptr<x509_st> cert) {
  const Status contents = check_contents(cert.get());
  ERR_clear_error();
  if (!contents) return contents.error();
  return Certificate(std::move(cert));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  auto chain = chain_from_pem(pem);
  if (!chain) return std::move(chain).error();
  if (chain->size() != 1) return bad("more than one certificate");
  return chain->front();
}

Result<std::vector<Certificate>> Certificate::chain_from_pem(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return bad("too long");
  const detail::BioPtr bio = detail::read_from(pem);
  std::vector<Certificate> out;
  detail::PemBlock block;
  bool broken = false;
  while (detail::next_pem(bio.get(), block, broken)) {
    if (block.name != "CERTIFICATE") return bad("a PEM block that is not a certificate");
    if (out.size() == kMaxChainLength) return bad("too many certificates");
    auto cert = from_der(block.data);
    if (!cert) return std::move(cert).error();
    out.push_back(*cert);
  }
  if (broken) return bad("damaged PEM");
  if (out.empty()) return bad("no certificate in the PEM text");
  return out;
}

Bytes Certificate::der() const { return encode(cert_.get()); }

std::string Certificate::pem() const {
  const detail::BioPtr bio(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509(bio.get(), cert_.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Hash256 Certificate::thumbprint() const { return sha256(der()); }

PublicKey Certificate::public_key() const {
  EVP_PKEY* key = must(X509_get_pubkey(cert_.get()));
  return PublicKey(std::shared_ptr<evp_pkey_st>(key, EVP_PKEY_free));
}

std::string Certificate::common_name() const {
  const X509_NAME* name = X509_get_subject_name(cert_.get());
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* out = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const detail::BufferPtr owner(out);
  ERR_clear_error();
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  return text.find('\0') == std::string::npos ? text : std::string();
}

std::string Certificate::serial_hex() const {
  const detail::BnPtr serial(
      must(ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert_.get()), nullptr)));
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(serial.get())));
  BN_bn2bin(serial.get(), bytes.data());
  return to_hex(bytes);
}

std::vector<std::string> Certificate::dns_names() const {
  auto names = san_entries(cert_.get(), GEN_DNS);
  std::erase_if(names, [](const std::string& n) { return n.find('\0') != std::string::npos; });
  return names;
}

std::vector<std::string> Certificate::uris() const { return san_entries(cert_.get(), GEN_URI); }

UnixTime Certificate::not_before() const { return *time_of(X509_get0_notBefore(cert_.get())); }
UnixTime Certificate::not_after() const { return *time_of(X509_get0_notAfter(cert_.get())); }
bool Certificate::is_self_issued() const {
  X509_check_purpose(cert_.get(), -1, 0);
  return (X509_get_extension_flags(cert_.get()) & EXFLAG_SI) != 0;
}
bool Certificate::is_ca() const { return X509_check_ca(cert_.get()) == 1; }

std::string chain_pem(const std::vector<Certificate>& chain) {
  std::string out;
  for (const auto& cert : chain) out += cert.pem();
  return out;
}

}  // namespace convoy::crypto
