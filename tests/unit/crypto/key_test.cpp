#include "crypto/key.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/hash.hpp"

namespace convoy::crypto {
namespace {

std::string pem_of(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(n));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return out;
}

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* out = nullptr;
  const int n = i2d_PUBKEY(key, &out);
  Bytes der(out, out + n);
  OPENSSL_free(out);
  EVP_PKEY_free(key);
  return der;
}

const Bytes kMessage = to_bytes(as_bytes("header.claims"));

TEST(Key, SignatureIsSixtyFourBytesAndVerifies) {
  const auto key = PrivateKey::generate();
  for (int i = 0; i < 64; ++i) {  // r and s with leading zeros come up now and then
    const Bytes signature = key.sign(kMessage);
    ASSERT_EQ(signature.size(), 64u);
    ASSERT_TRUE(key.public_key().verify(kMessage, signature));
  }
}

TEST(Key, RefusesEverySignatureThatIsNotThisOne) {
  const auto key = PrivateKey::generate();
  const Bytes good = key.sign(kMessage);
  const auto pub = key.public_key();
  for (const std::size_t at : {0u, 31u, 32u, 63u}) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(pub.verify(kMessage, bad)) << at;
  }
  EXPECT_FALSE(pub.verify(as_bytes("header.other"), good));
  EXPECT_FALSE(PrivateKey::generate().public_key().verify(kMessage, good));
  EXPECT_FALSE(pub.verify(kMessage, {}));
  EXPECT_FALSE(pub.verify(kMessage, ByteView(good).first(63)));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(pub.verify(kMessage, longer));
}

// CVE-2022-21449: r = s = 0 verified for every message.
TEST(Key, RefusesZeroAndOversizedRAndS) {
  const auto pub = PrivateKey::generate().public_key();
  EXPECT_FALSE(pub.verify(kMessage, Bytes(64, 0)));
  EXPECT_FALSE(pub.verify(kMessage, Bytes(64, 0xff)));
}

TEST(Key, RefusesADerSignature) {
  const auto key = PrivateKey::generate();
  const Bytes raw = key.sign(kMessage);
  Bytes der = {0x30, 0x44, 0x02, 0x20};
  der.insert(der.end(), raw.begin(), raw.end());
  EXPECT_FALSE(key.public_key().verify(kMessage, der));
}

TEST(Key, PemRoundTrip) {
  const auto key = PrivateKey::generate();
  const auto again = PrivateKey::from_pem(key.to_pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key().spki(), key.public_key().spki());
  EXPECT_TRUE(key.to_pem().reveal().starts_with("-----BEGIN PRIVATE KEY-----"));
}

TEST(Key, ReadsSec1) {
  const Secret pem(
      "-----BEGIN EC PRIVATE KEY-----\n"
      "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n"
      "AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\n"
      "EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n"
      "-----END EC PRIVATE KEY-----\n");  // RFC 9500, section 2.3: a test key
  ASSERT_TRUE(PrivateKey::from_pem(pem));
}

TEST(Key, RefusesOtherKindsAndCurves) {
  EXPECT_EQ(PrivateKey::from_pem(Secret(pem_of(EVP_EC_gen("P-384")))).error().code(),
            "key_invalid");
  EXPECT_EQ(PrivateKey::from_pem(Secret(pem_of(EVP_EC_gen("secp256k1")))).error().code(),
            "key_invalid");
  EXPECT_EQ(PrivateKey::from_pem(Secret(pem_of(EVP_RSA_gen(2048)))).error().code(), "key_invalid");
  EXPECT_EQ(PrivateKey::from_pem(Secret(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))))
                .error()
                .code(),
            "key_invalid");
  EXPECT_EQ(PublicKey::from_spki(spki_of(EVP_EC_gen("P-384"))).error().code(), "key_invalid");
  EXPECT_EQ(PublicKey::from_spki(spki_of(EVP_RSA_gen(2048))).error().code(), "key_invalid");
}

TEST(Key, RefusesBrokenPem) {
  const std::string good(PrivateKey::generate().to_pem().reveal());
  EXPECT_FALSE(PrivateKey::from_pem(Secret("")));
  EXPECT_FALSE(PrivateKey::from_pem(Secret("no key")));
  EXPECT_FALSE(PrivateKey::from_pem(Secret(good.substr(0, good.size() / 2))));
  EXPECT_FALSE(PrivateKey::from_pem(Secret(std::string(20'000, ' ') + good)));
}

TEST(Key, RefusesAPrivateKeyWithAnothersPublicPart) {
  const Bytes other = PrivateKey::generate().public_key().spki();
  BIGNUM* scalar = nullptr;
  EVP_PKEY_get_bn_param(PrivateKey::generate().handle(), "priv", &scalar);
  OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(build, "group", "prime256v1", 0);
  OSSL_PARAM_BLD_push_BN(build, "priv", scalar);
  OSSL_PARAM_BLD_push_octet_string(build, "pub", other.data() + other.size() - 65, 65);
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* ctx = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* mixed = nullptr;
  EVP_PKEY_fromdata_init(ctx);
  ASSERT_EQ(EVP_PKEY_fromdata(ctx, &mixed, EVP_PKEY_KEYPAIR, params), 1);
  EXPECT_EQ(PrivateKey::from_pem(Secret(pem_of(mixed))).error().code(), "key_invalid");
  EVP_PKEY_CTX_free(ctx);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  BN_clear_free(scalar);
}

TEST(Key, SpkiRoundTripAndDamage) {
  const auto key = PrivateKey::generate().public_key();
  const Bytes der = key.spki();
  ASSERT_EQ(PublicKey::from_spki(der)->spki(), der);
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(PublicKey::from_spki(longer));
  EXPECT_FALSE(PublicKey::from_spki(ByteView(der).first(der.size() - 1)));
  Bytes off_curve = der;
  off_curve.back() ^= 1;
  EXPECT_FALSE(PublicKey::from_spki(off_curve));
  EXPECT_FALSE(PublicKey::from_spki({}));
}

// The key of RFC 7515 appendix A.3; its thumbprint worked out with the rule of RFC 7638 section 3.
TEST(Key, ThumbprintIsThatOfTheJwk) {
  const auto x = from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value();
  const auto y = from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
  Bytes der = from_hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004").value();
  der.insert(der.end(), x.begin(), x.end());
  der.insert(der.end(), y.begin(), y.end());
  const auto key = PublicKey::from_spki(der);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

// RFC 7515 appendix A.3: somebody else's ES256 signature.
TEST(Key, VerifiesTheRfc7515Example) {
  const auto x = from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value();
  const auto y = from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
  Bytes der = from_hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004").value();
  der.insert(der.end(), x.begin(), x.end());
  der.insert(der.end(), y.begin(), y.end());
  const auto signature = from_base64url(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
      "pmWQxfKTUJqPP3-Kg6NU1Q");
  const std::string_view input =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
      "LmNvbS9pc19yb290Ijp0cnVlfQ";
  EXPECT_TRUE(PublicKey::from_spki(der)->verify(as_bytes(input), signature.value()));
}

}  // namespace
}  // namespace convoy::crypto
