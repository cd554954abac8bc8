#include "crypto/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <set>

namespace convoy::crypto {
namespace {

using namespace std::chrono_literals;

constexpr UnixTime kNow{std::chrono::seconds(1767323045)};

CertSpec spec(CertUse use, std::string name, int path_length = 0) {
  CertSpec s;
  s.common_name = std::move(name);
  s.use = use;
  s.path_length = path_length;
  s.not_before = kNow - 1h;
  s.not_after = kNow + 1h;
  return s;
}

struct Party {
  PrivateKey key;
  Certificate cert;
};

class Chain : public testing::Test {
 protected:
  Party make_root(const std::string& name = "root", int path_length = 1) {
    auto key = PrivateKey::generate();
    return {key, self_sign(spec(CertUse::ca, name, path_length), key, random_)};
  }
  Party below(const Party& ca, const CertSpec& s) {
    auto key = PrivateKey::generate();
    return {key, issue(s, key.public_key(), ca.cert, ca.key, random_)};
  }
  std::string verify(const Certificate& leaf, const std::vector<Certificate>& between, CertUse use,
                     UnixTime now = kNow) {
    const auto status = verify_chain(leaf, between, {root_.cert}, use, now);
    return status ? "" : status.error().code();
  }

  SystemRandom random_;
  Party root_ = make_root();
  Party issuing_ = below(root_, spec(CertUse::ca, "issuing"));
};

TEST_F(Chain, CarriesWhatTheSpecSays) {
  auto s = spec(CertUse::node, "");
  s.uris = {"spiffe://example.org/cluster/c1/node/a"};
  s.dns_names = {"a.example.org", "b.example.org"};
  s.ips = {"10.0.0.1", "fd00::1"};
  const auto leaf = below(issuing_, s);
  EXPECT_EQ(leaf.cert.uris(), s.uris);
  EXPECT_EQ(leaf.cert.dns_names(), s.dns_names);
  EXPECT_EQ(leaf.cert.common_name(), "");
  EXPECT_EQ(leaf.cert.not_before(), s.not_before);
  EXPECT_EQ(leaf.cert.not_after(), s.not_after);
  EXPECT_FALSE(leaf.cert.is_ca());
  EXPECT_TRUE(issuing_.cert.is_ca());
  EXPECT_TRUE(root_.cert.is_self_issued());
  EXPECT_FALSE(issuing_.cert.is_self_issued());
  EXPECT_EQ(root_.cert.common_name(), "root");
  EXPECT_EQ(leaf.cert.public_key().spki(), leaf.key.public_key().spki());
}

TEST_F(Chain, ExtensionsAreCriticalWhereTheyMustBe) {
  auto s = spec(CertUse::node, "");
  s.uris = {"spiffe://example.org/cluster/c1/node/a"};
  const auto leaf = below(issuing_, s);
  const auto critical = [](const Certificate& c, int nid) {
    const int at = X509_get_ext_by_NID(c.handle(), nid, -1);
    return at < 0 ? -1 : X509_EXTENSION_get_critical(X509_get_ext(c.handle(), at));
  };
  EXPECT_EQ(critical(leaf.cert, NID_subject_alt_name), 1) << "the subject is empty";
  EXPECT_EQ(critical(leaf.cert, NID_key_usage), 1);
  EXPECT_EQ(critical(issuing_.cert, NID_basic_constraints), 1);
  EXPECT_EQ(critical(issuing_.cert, NID_key_usage), 1);
  EXPECT_EQ(critical(issuing_.cert, NID_ext_key_usage), -1);
  s.common_name = "named";
  EXPECT_EQ(critical(below(issuing_, s).cert, NID_subject_alt_name), 0);
  EXPECT_EQ(X509_get_pathlen(root_.cert.handle()), 1);
  EXPECT_EQ(X509_get_pathlen(issuing_.cert.handle()), 0);
}

TEST_F(Chain, SerialsAreLongAndDiffer) {
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    serials.insert(below(issuing_, spec(CertUse::node, "n")).cert.serial_hex());
  }
  EXPECT_EQ(serials.size(), 50u);
  EXPECT_EQ(serials.begin()->size(), 32u);
}

TEST_F(Chain, DerAndPemRoundTrip) {
  const auto& cert = issuing_.cert;
  const auto der = Certificate::from_der(cert.der());
  ASSERT_TRUE(der);
  EXPECT_EQ(der->thumbprint(), cert.thumbprint());
  const auto pem = Certificate::from_pem(cert.pem());
  ASSERT_TRUE(pem);
  EXPECT_EQ(pem->thumbprint(), cert.thumbprint());
  EXPECT_NE(root_.cert.thumbprint(), cert.thumbprint());
  const auto chain = Certificate::chain_from_pem(chain_pem({cert, root_.cert}));
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2u);
  EXPECT_EQ((*chain)[1].thumbprint(), root_.cert.thumbprint());
}

TEST_F(Chain, RefusesDamagedText) {
  const std::string pem = root_.cert.pem();
  const auto code = [](std::string_view text) {
    const auto r = Certificate::chain_from_pem(text);
    return r ? std::string() : r.error().code();
  };
  EXPECT_EQ(code(""), "certificate_invalid");
  EXPECT_EQ(code("hello"), "certificate_invalid");
  EXPECT_EQ(code(pem.substr(0, pem.size() - 40)), "certificate_invalid");
  EXPECT_EQ(code(pem + pem.substr(0, 200)), "certificate_invalid");
  EXPECT_EQ(code(pem + std::string(root_.key.to_pem().reveal())), "certificate_invalid");
  EXPECT_EQ(code(pem + std::string(512 * 1024, '\n')), "certificate_invalid");
  EXPECT_FALSE(Certificate::from_pem(pem + pem)) << "one is asked for";
  Bytes der = root_.cert.der();
  der.push_back(0);
  EXPECT_FALSE(Certificate::from_der(der)) << "trailing byte";
  EXPECT_FALSE(Certificate::from_der(ByteView(der).first(der.size() - 2)));
  EXPECT_FALSE(Certificate::from_der({}));
}

TEST_F(Chain, AtMostThirtyTwoCertificates) {
  const auto n = [&](std::size_t count) {
    return Certificate::chain_from_pem(chain_pem(std::vector<Certificate>(count, root_.cert))).ok();
  };
  EXPECT_TRUE(n(32));
  EXPECT_FALSE(n(33));
}

// A certificate of OpenSSL's own making, for what issue() would never make.
Certificate wrap(X509* x) { return Certificate(std::shared_ptr<x509_st>(x, X509_free)); }

X509* raw_certificate(EVP_PKEY* subject, const Party& ca) {
  X509* x = X509_new();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
  ASN1_TIME_set(X509_getm_notBefore(x), kNow.time_since_epoch().count() - 60);
  ASN1_TIME_set(X509_getm_notAfter(x), kNow.time_since_epoch().count() + 60);
  X509_set_issuer_name(x, X509_get_subject_name(ca.cert.handle()));
  X509_set_pubkey(x, subject);
  return x;
}

void add_extension(X509* x, X509* issuer, int nid, const char* value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, x, nullptr, nullptr, 0);
  X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value);
  ASSERT_NE(e, nullptr);
  X509_add_ext(x, e, -1);
  X509_EXTENSION_free(e);
}

TEST_F(Chain, RefusesOtherKeysThanP256) {
  for (EVP_PKEY* key : {EVP_RSA_gen(2048), EVP_EC_gen("P-384")}) {
    const auto cert = wrap(raw_certificate(key, root_));
    X509_sign(cert.handle(), root_.key.handle(), EVP_sha256());
    EXPECT_EQ(Certificate::from_der(cert.der()).error().code(), "certificate_invalid");
    EVP_PKEY_free(key);
  }
}

TEST_F(Chain, ANameWithANulIsNoDnsNameButCountsAsUri) {
  const auto key = PrivateKey::generate();
  const auto cert = wrap(raw_certificate(key.handle(), root_));
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  for (const int type : {GEN_DNS, GEN_URI}) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, "good.example\0.evil", 18);
    GENERAL_NAME_set0_value(name, type, text);
    sk_GENERAL_NAME_push(names, name);
  }
  X509_add1_ext_i2d(cert.handle(), NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
  X509_sign(cert.handle(), root_.key.handle(), EVP_sha256());
  const auto parsed = Certificate::from_der(cert.der());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->dns_names().empty());
  ASSERT_EQ(parsed->uris().size(), 1u);
  EXPECT_EQ(parsed->uris()[0].size(), 18u);
}

TEST_F(Chain, RefusesTwoAlternativeNameExtensions) {
  const auto key = PrivateKey::generate();
  const auto cert = wrap(raw_certificate(key.handle(), root_));
  add_extension(cert.handle(), root_.cert.handle(), NID_subject_alt_name, "DNS:a.example");
  add_extension(cert.handle(), root_.cert.handle(), NID_subject_alt_name, "DNS:b.example");
  X509_sign(cert.handle(), root_.key.handle(), EVP_sha256());
  EXPECT_FALSE(Certificate::from_der(cert.der()));
}

TEST_F(Chain, AcceptsEachUseOnlyAsItself) {
  const std::vector<CertUse> uses = {CertUse::ca,           CertUse::server,
                                     CertUse::node,         CertUse::ticket_signer,
                                     CertUse::token_signer, CertUse::metadata_signer};
  for (const auto made : uses) {
    const auto leaf = below(made == CertUse::ca ? root_ : issuing_, spec(made, "leaf"));
    for (const auto asked : uses) {
      // A node certificate is good for a TLS server too.
      const bool good = made == asked || (made == CertUse::node && asked == CertUse::server);
      EXPECT_EQ(verify(leaf.cert, {issuing_.cert}, asked), good ? "" : "certificate_wrong_use")
          << static_cast<int>(made) << " as " << static_cast<int>(asked);
    }
  }
}

TEST_F(Chain, RefusesALeafWithASecondUsage) {
  const auto key = PrivateKey::generate();
  const auto cert = wrap(raw_certificate(key.handle(), issuing_));
  add_extension(cert.handle(), issuing_.cert.handle(), NID_subject_alt_name, "critical,DNS:a");
  add_extension(cert.handle(), issuing_.cert.handle(), NID_key_usage, "critical,digitalSignature");
  add_extension(cert.handle(), issuing_.cert.handle(), NID_authority_key_identifier, "keyid");
  add_extension(cert.handle(), issuing_.cert.handle(), NID_ext_key_usage,
                "1.3.6.1.4.1.61722.1.1,1.3.6.1.4.1.61722.1.2");
  X509_sign(cert.handle(), issuing_.key.handle(), EVP_sha256());
  const auto leaf = Certificate::from_der(cert.der()).value();
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::ticket_signer), "certificate_wrong_use");
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::token_signer), "certificate_wrong_use");
}

TEST_F(Chain, RefusesALeafForAnythingOrWithoutUsage) {
  for (const char* usage : {"anyExtendedKeyUsage", ""}) {
    const auto key = PrivateKey::generate();
    const auto cert = wrap(raw_certificate(key.handle(), issuing_));
    add_extension(cert.handle(), issuing_.cert.handle(), NID_subject_alt_name, "critical,DNS:a");
    add_extension(cert.handle(), issuing_.cert.handle(), NID_key_usage,
                  "critical,digitalSignature");
    add_extension(cert.handle(), issuing_.cert.handle(), NID_authority_key_identifier, "keyid");
    if (*usage != '\0') {
      add_extension(cert.handle(), issuing_.cert.handle(), NID_ext_key_usage, usage);
    }
    X509_sign(cert.handle(), issuing_.key.handle(), EVP_sha256());
    const auto leaf = Certificate::from_der(cert.der()).value();
    EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::ticket_signer), "certificate_wrong_use");
  }
}

TEST_F(Chain, RefusesALeafWhoseKeyMaySignNothingOrCertificates) {
  const auto made = [&](const char* basic, const char* usage) {
    const auto key = PrivateKey::generate();
    const auto cert = wrap(raw_certificate(key.handle(), root_));
    X509* const ca = root_.cert.handle();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.handle()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("x"), -1, -1, 0);
    add_extension(cert.handle(), ca, NID_basic_constraints, basic);
    if (*usage != '\0') add_extension(cert.handle(), ca, NID_key_usage, usage);
    add_extension(cert.handle(), ca, NID_subject_key_identifier, "hash");
    add_extension(cert.handle(), ca, NID_authority_key_identifier, "keyid");
    add_extension(cert.handle(), ca, NID_ext_key_usage, "1.3.6.1.4.1.61722.1.1");
    X509_sign(cert.handle(), root_.key.handle(), EVP_sha256());
    return verify(Certificate::from_der(cert.der()).value(), {}, CertUse::ticket_signer);
  };
  const char* const leaf = "critical,CA:FALSE";
  EXPECT_EQ(made(leaf, "critical,digitalSignature"), "");
  EXPECT_EQ(made(leaf, "critical,keyAgreement"), "certificate_wrong_use");
  EXPECT_EQ(made(leaf, ""), "certificate_wrong_use");
  EXPECT_EQ(made("critical,CA:TRUE,pathlen:0", "critical,digitalSignature,keyCertSign"),
            "certificate_wrong_use");
}

TEST_F(Chain, ValidityEndsExactly) {
  const auto leaf = below(issuing_, spec(CertUse::node, "leaf")).cert;
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::node, kNow + 1h - 1s), "");
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::node, kNow + 1h + 1s), "certificate_expired");
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::node, kNow - 1h), "");
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::node, kNow - 1h - 1s),
            "certificate_not_yet_valid");
}

TEST_F(Chain, AnExpiredIssuerEndsItsLeaves) {
  auto short_ca = spec(CertUse::ca, "short");
  short_ca.not_after = kNow + 1min;
  const auto ca = below(root_, short_ca);
  const auto leaf = below(ca, spec(CertUse::node, "leaf")).cert;
  EXPECT_EQ(verify(leaf, {ca.cert}, CertUse::node), "");
  EXPECT_EQ(verify(leaf, {ca.cert}, CertUse::node, kNow + 2min), "certificate_expired");
}

TEST_F(Chain, RefusesAnotherRootOfTheSameName) {
  const auto foreign = make_root("root");
  const auto foreign_ca = below(foreign, spec(CertUse::ca, "issuing"));
  const auto leaf = below(foreign_ca, spec(CertUse::node, "leaf")).cert;
  EXPECT_EQ(verify(leaf, {foreign_ca.cert}, CertUse::node), "certificate_untrusted");
  EXPECT_EQ(verify(leaf, {foreign_ca.cert, foreign.cert}, CertUse::node), "certificate_untrusted");
  EXPECT_EQ(verify(leaf, {issuing_.cert}, CertUse::node), "certificate_untrusted");
  EXPECT_EQ(verify(leaf, {}, CertUse::node), "certificate_untrusted");
  EXPECT_FALSE(verify_chain(leaf, {foreign_ca.cert}, {}, CertUse::node, kNow));
}

TEST_F(Chain, RefusesALeafThatPlaysCa) {
  const auto node = below(issuing_, spec(CertUse::node, "node"));
  const auto forged = below(node, spec(CertUse::node, "forged")).cert;
  EXPECT_EQ(verify(forged, {node.cert, issuing_.cert}, CertUse::node), "certificate_untrusted");
}

TEST_F(Chain, HonoursThePathLength) {
  const auto deeper = below(issuing_, spec(CertUse::ca, "deeper"));
  const auto leaf = below(deeper, spec(CertUse::node, "leaf")).cert;
  EXPECT_EQ(verify(leaf, {deeper.cert, issuing_.cert}, CertUse::node), "certificate_untrusted");
}

TEST_F(Chain, RefusesAnIntermediateLimitedToOtherUsages) {
  const auto key = PrivateKey::generate();
  const auto cert = wrap(raw_certificate(key.handle(), root_));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.handle()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("limited"), -1, -1, 0);
  add_extension(cert.handle(), root_.cert.handle(), NID_basic_constraints,
                "critical,CA:TRUE,pathlen:0");
  add_extension(cert.handle(), root_.cert.handle(), NID_key_usage, "critical,keyCertSign");
  add_extension(cert.handle(), root_.cert.handle(), NID_subject_key_identifier, "hash");
  add_extension(cert.handle(), root_.cert.handle(), NID_authority_key_identifier, "keyid");
  add_extension(cert.handle(), root_.cert.handle(), NID_ext_key_usage, "serverAuth");
  X509_sign(cert.handle(), root_.key.handle(), EVP_sha256());
  const Party limited{key, Certificate::from_der(cert.der()).value()};
  EXPECT_EQ(
      verify(below(limited, spec(CertUse::server, "s")).cert, {limited.cert}, CertUse::server), "");
  EXPECT_EQ(verify(below(limited, spec(CertUse::ticket_signer, "t")).cert, {limited.cert},
                   CertUse::ticket_signer),
            "certificate_wrong_use");
}

TEST_F(Chain, RefusesASha1Signature) {
  const auto key = PrivateKey::generate();
  const auto cert = wrap(raw_certificate(key.handle(), root_));
  add_extension(cert.handle(), root_.cert.handle(), NID_subject_alt_name, "critical,DNS:a");
  add_extension(cert.handle(), root_.cert.handle(), NID_key_usage, "critical,digitalSignature");
  add_extension(cert.handle(), root_.cert.handle(), NID_authority_key_identifier, "keyid");
  add_extension(cert.handle(), root_.cert.handle(), NID_ext_key_usage, "serverAuth,clientAuth");
  X509_sign(cert.handle(), root_.key.handle(), EVP_sha1());
  EXPECT_EQ(verify(Certificate::from_der(cert.der()).value(), {}, CertUse::node),
            "certificate_untrusted");
}

TEST_F(Chain, RefusesTooManyIntermediates) {
  const auto leaf = below(issuing_, spec(CertUse::node, "leaf")).cert;
  std::vector<Certificate> many(8, issuing_.cert);
  EXPECT_EQ(verify(leaf, many, CertUse::node), "");
  many.push_back(issuing_.cert);
  EXPECT_EQ(verify(leaf, many, CertUse::node), "certificate_untrusted");
}

TEST(Csr, GivesTheKeyBack) {
  const auto key = PrivateKey::generate();
  const auto got = csr_public_key(make_csr(key, "node-1"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->spki(), key.public_key().spki());
  EXPECT_TRUE(csr_public_key(make_csr(key, "")));
}

std::string csr_pem(X509_REQ* req) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, req);
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(n));
  BIO_free(bio);
  X509_REQ_free(req);
  return out;
}

TEST(Csr, RefusesOneSignedByAnotherKey) {
  const auto owner = PrivateKey::generate();
  const auto thief = PrivateKey::generate();
  X509_REQ* req = X509_REQ_new();
  X509_REQ_set_pubkey(req, owner.handle());
  X509_REQ_sign(req, thief.handle(), EVP_sha256());
  EXPECT_EQ(csr_public_key(csr_pem(req)).error().code(), "csr_invalid");
}

TEST(Csr, RefusesOtherKeysAndWeakSignatures) {
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  X509_REQ* req = X509_REQ_new();
  X509_REQ_set_pubkey(req, rsa);
  X509_REQ_sign(req, rsa, EVP_sha256());
  EXPECT_FALSE(csr_public_key(csr_pem(req)));
  EVP_PKEY_free(rsa);
  const auto key = PrivateKey::generate();
  req = X509_REQ_new();
  X509_REQ_set_pubkey(req, key.handle());
  X509_REQ_sign(req, key.handle(), EVP_sha1());
  EXPECT_FALSE(csr_public_key(csr_pem(req)));
}

TEST(Csr, RefusesOtherText) {
  const std::string good = make_csr(PrivateKey::generate(), "n");
  EXPECT_FALSE(csr_public_key(""));
  EXPECT_FALSE(csr_public_key("no request"));
  EXPECT_FALSE(csr_public_key(good + good));
  EXPECT_FALSE(csr_public_key(good.substr(0, 100)));
  EXPECT_FALSE(csr_public_key(PrivateKey::generate().to_pem().reveal()));
  std::string padded = good;
  padded.resize(16 * 1024, '\n');
  EXPECT_TRUE(csr_public_key(padded));
  padded += '\n';
  EXPECT_FALSE(csr_public_key(padded)) << "one byte past the limit";
}

}  // namespace
}  // namespace convoy::crypto
