#include "crypto/signer_trust.hpp"

#include <gtest/gtest.h>

namespace convoy::crypto {
namespace {

using namespace std::chrono_literals;

constexpr UnixTime kNow{std::chrono::seconds(1767323045)};

class SignerTrustTest : public testing::Test {
 protected:
  CertSpec spec(CertUse use, std::chrono::seconds after) {
    CertSpec s;
    s.common_name = "signer";
    s.use = use;
    s.path_length = 1;
    s.not_before = kNow - 1h;
    s.not_after = kNow + after;
    return s;
  }
  std::vector<Bytes> chain(std::chrono::seconds leaf, std::chrono::seconds issuing,
                           CertUse use = CertUse::ticket_signer) {
    const auto between_key = PrivateKey::generate();
    const auto between =
        issue(spec(CertUse::ca, issuing), between_key.public_key(), root_, root_key_, random_);
    const auto key = PrivateKey::generate();
    return {issue(spec(use, leaf), key.public_key(), between, between_key, random_).der(),
            between.der()};
  }
  std::string ask(const std::vector<Bytes>& x5c, UnixTime now) {
    const auto key = trust_.key_of(x5c, now);
    return key ? "" : key.error().code();
  }

  SystemRandom random_;
  PrivateKey root_key_ = PrivateKey::generate();
  Certificate root_ = self_sign(spec(CertUse::ca, 10h), root_key_, random_);
  SignerTrust trust_{{root_}, CertUse::ticket_signer};
};

TEST_F(SignerTrustTest, GivesTheLeafsKeyEachTime) {
  const auto x5c = chain(2h, 3h);
  const auto key = Certificate::from_der(x5c[0]).value().public_key().spki();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(trust_.key_of(x5c, kNow).value().spki(), key);
}

TEST_F(SignerTrustTest, ARememberedChainEndsWithItsFirstCertificate) {
  const auto leaf_first = chain(2h, 3h);
  const auto issuer_first = chain(3h, 2h);
  const auto root_first = chain(20h, 20h);
  for (const auto& x5c : {leaf_first, issuer_first}) {
    EXPECT_EQ(ask(x5c, kNow), "");
    EXPECT_EQ(ask(x5c, kNow + 2h - 1s), "");
    EXPECT_EQ(ask(x5c, kNow + 2h), "certificate_expired");
    EXPECT_EQ(ask(x5c, kNow - 1h - 1s), "certificate_not_yet_valid");
  }
  EXPECT_EQ(ask(root_first, kNow), "");
  EXPECT_EQ(ask(root_first, kNow + 10h), "certificate_expired");
}

TEST_F(SignerTrustTest, AKnownLeafDoesNotLendItsTrustToAnotherChain) {
  const auto good = chain(2h, 2h);
  const auto other = chain(2h, 2h);
  EXPECT_EQ(ask(good, kNow), "");
  EXPECT_EQ(ask({good[0]}, kNow), "certificate_untrusted");
  EXPECT_EQ(ask({good[0], other[1]}, kNow), "certificate_untrusted");
  EXPECT_EQ(ask({good[1], good[0]}, kNow), "certificate_wrong_use");
  auto cut = good;
  cut[1].insert(cut[1].begin(), cut[0].back());
  cut[0].pop_back();
  EXPECT_EQ(ask(cut, kNow), "token_chain");
  EXPECT_EQ(ask({}, kNow), "token_chain");
}

TEST_F(SignerTrustTest, RefusesOtherUsesAndForeignRoots) {
  EXPECT_EQ(ask(chain(2h, 2h, CertUse::token_signer), kNow), "certificate_wrong_use");
  SignerTrust none({}, CertUse::ticket_signer);
  const auto good = chain(2h, 2h);
  EXPECT_EQ(ask(good, kNow), "");
  EXPECT_FALSE(none.key_of(good, kNow));
}

TEST_F(SignerTrustTest, ForgetsTheOldestOfMany) {
  const auto first = chain(2h, 2h);
  EXPECT_EQ(ask(first, kNow), "");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(chain(2h, 2h), kNow), "");
  EXPECT_EQ(ask(first, kNow), "");
}

}  // namespace
}  // namespace convoy::crypto
