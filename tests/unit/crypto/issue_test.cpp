#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "crypto/certificate.hpp"

// The bytes of what is issued, which others than OpenSSL read too.
namespace convoy::crypto {
namespace {

using namespace std::chrono_literals;

class Issue : public testing::Test {
 protected:
  static CertSpec spec(CertUse use, int path_length = 0) {
    constexpr UnixTime kNow{std::chrono::seconds(1767323045)};
    CertSpec s;
    s.common_name = "name";
    s.use = use;
    s.path_length = path_length;
    s.not_before = kNow - 1h;
    s.not_after = kNow + 1h;
    return s;
  }
  Certificate below_root(const CertSpec& s) {
    return issue(s, PrivateKey::generate().public_key(), root_, key_, random_);
  }
  /// The DER value of an extension that must be there once.
  static Bytes extension(const Certificate& cert, int nid) {
    const int at = X509_get_ext_by_NID(cert.handle(), nid, -1);
    if (at < 0 || X509_get_ext_by_NID(cert.handle(), nid, at) >= 0) return {};
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(cert.handle(), at));
    return {value->data, value->data + value->length};
  }

  SystemRandom random_;
  PrivateKey key_ = PrivateKey::generate();
  Certificate root_ = self_sign(spec(CertUse::ca, 1), key_, random_);
};

// RFC 5280 4.2.1.9, X.690 11.1: in DER, TRUE is 0xff. OpenSSL reads every other value but zero
// as TRUE, too; Go refuses it, and with it all certificates below.
TEST_F(Issue, ACaIsMarkedByTheOneSpellingOfTrue) {
  // SEQUENCE { BOOLEAN TRUE, INTEGER pathLen }
  EXPECT_EQ(extension(root_, NID_basic_constraints),
            (Bytes{0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x01}));
  EXPECT_EQ(extension(below_root(spec(CertUse::ca)), NID_basic_constraints),
            (Bytes{0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00}));
}

// X.690 11.5: a default, as FALSE is here, is left out.
TEST_F(Issue, ALeafIsMarkedAsNoCaByLeavingItOut) {
  for (const auto use : {CertUse::server, CertUse::node, CertUse::ticket_signer,
                         CertUse::token_signer, CertUse::metadata_signer}) {
    EXPECT_EQ(extension(below_root(spec(use)), NID_basic_constraints), (Bytes{0x30, 0x00}))
        << static_cast<int>(use);
  }
}

}  // namespace
}  // namespace convoy::crypto
