#include "crypto/key.hpp"

#include <cstring>
#include <openssl/pem.h>

#include "crypto/hash.hpp"
#include "crypto/ossl.hpp"

namespace convoy::crypto {
namespace {

using detail::must;

constexpr std::size_t kFieldBytes = 32;      // P-256: one coordinate, and each of r and s
constexpr std::size_t kMaxSpkiBytes = 4096;  // far beyond P-256, so that others are named as such
constexpr std::size_t kMaxKeyPemBytes = 16 * 1024;

// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { uncompressed point } }
constexpr std::array<std::uint8_t, 27> kSpkiPrefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t kSpkiBytes = kSpkiPrefix.size() + 2 * kFieldBytes;

bool canonical_spki(ByteView der) {
  return der.size() == kSpkiBytes &&
         std::equal(kSpkiPrefix.begin(), kSpkiPrefix.end(), der.begin());
}

std::shared_ptr<EVP_PKEY> share(detail::PkeyPtr key) { return {key.release(), EVP_PKEY_free}; }

detail::PkeyPtr parse_spki(ByteView der) {
  const unsigned char* at = der.data();
  detail::PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key && at != der.data() + der.size()) key.reset();
  ERR_clear_error();
  return key;
}

// Without it OpenSSL would ask for a pass phrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

/// DER of r || s.
detail::BufferPtr der_signature(ByteView raw, int& size) {
  detail::EcSigPtr sig(must(ECDSA_SIG_new()));
  BIGNUM* r = must(BN_bin2bn(raw.data(), kFieldBytes, nullptr));
  BIGNUM* s = must(BN_bin2bn(raw.data() + kFieldBytes, kFieldBytes, nullptr));
  must(ECDSA_SIG_set0(sig.get(), r, s) == 1);
  unsigned char* out = nullptr;
  size = i2d_ECDSA_SIG(sig.get(), &out);
  must(size > 0);
  return detail::BufferPtr(out);
}

}  // namespace

bool detail::is_p256(const EVP_PKEY* key) { return canonical_spki(spki_of(key)); }

bool detail::is_p256(const X509_PUBKEY* key) {
  unsigned char* out = nullptr;
  const int size = i2d_X509_PUBKEY(key, &out);
  const BufferPtr owner(out);
  return size > 0 && canonical_spki(ByteView(out, static_cast<std::size_t>(size)));
}

Bytes detail::spki_of(const EVP_PKEY* key) {
  unsigned char* out = nullptr;
  const int size = i2d_PUBKEY(key, &out);
  const BufferPtr owner(out);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  return {out, out + size};
}

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  if (der.size() > kMaxSpkiBytes) return invalid("key_invalid", "too long");
  if (!canonical_spki(der)) return invalid("key_invalid", "not an EC P-256 key");
  auto key = parse_spki(der);
  if (!key) return invalid("key_invalid", "not a point of the curve");
  return PublicKey(share(std::move(key)));
}

Bytes PublicKey::spki() const { return detail::spki_of(key_.get()); }

std::string PublicKey::thumbprint() const {
  const Bytes der = spki();
  const ByteView point = ByteView(der).subspan(kSpkiPrefix.size());
  // RFC 7638: the required members in alphabetical order, without blanks.
  const std::string jwk = R"({"crv":"P-256","kty":"EC","x":")" +
                          to_base64url(point.first(kFieldBytes)) + R"(","y":")" +
                          to_base64url(point.subspan(kFieldBytes)) + R"("})";
  return to_base64url(sha256(as_bytes(jwk)));
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  if (signature.size() != 2 * kFieldBytes) return false;
  int size = 0;
  const auto der = der_signature(signature, size);
  const detail::MdCtxPtr ctx(must(EVP_MD_CTX_new()));
  bool good = EVP_DigestVerifyInit_ex(ctx.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(),
                                      nullptr) == 1;
  good = good && EVP_DigestVerify(ctx.get(), der.get(), static_cast<std::size_t>(size),
                                  message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

PrivateKey PrivateKey::generate() {
  detail::PkeyPtr key(must(EVP_EC_gen("P-256")));
  return PrivateKey(share(std::move(key)));
}

Result<PrivateKey> PrivateKey::from_pem(const Secret& pem) {
  const auto text = pem.reveal();
  if (text.size() > kMaxKeyPemBytes) return invalid("key_invalid", "too long");
  const detail::BioPtr bio = detail::read_from(text);
  detail::PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return invalid("key_invalid", "no readable private key in the PEM text");
  if (!detail::is_p256(key.get())) return invalid("key_invalid", "not an EC P-256 key");
  const detail::PkeyCtxPtr ctx(must(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)));
  const bool sound = EVP_PKEY_check(ctx.get()) == 1;
  ERR_clear_error();
  if (!sound) return invalid("key_invalid", "private and public part do not belong together");
  return PrivateKey(share(std::move(key)));
}

Secret PrivateKey::to_pem() const {
  const detail::BioPtr bio(must(BIO_new(BIO_s_secmem())));
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                     nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string(data, static_cast<std::size_t>(size)));
}

PrivateKey::PrivateKey(std::shared_ptr<evp_pkey_st> k) : key_(std::move(k)) {
  // A key object of its own, so that a PublicKey never carries the private part along.
  detail::PkeyPtr key = parse_spki(detail::spki_of(key_.get()));
  must(key != nullptr);
  public_ = share(std::move(key));
}

PublicKey PrivateKey::public_key() const { return PublicKey(public_); }

Bytes PrivateKey::sign(ByteView message) const {
  const detail::MdCtxPtr ctx(must(EVP_MD_CTX_new()));
  must(EVP_DigestSignInit_ex(ctx.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr) ==
       1);
  std::array<unsigned char, 80> der;
  std::size_t size = der.size();
  must(EVP_DigestSign(ctx.get(), der.data(), &size, message.data(), message.size()) == 1);
  const unsigned char* at = der.data();
  const detail::EcSigPtr sig(must(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size))));
  Bytes out(2 * kFieldBytes);
  must(BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), out.data(), kFieldBytes) == kFieldBytes);
  must(BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), out.data() + kFieldBytes, kFieldBytes) ==
       kFieldBytes);
  return out;
}

}  // namespace convoy::crypto
