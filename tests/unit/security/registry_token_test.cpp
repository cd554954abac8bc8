#include "security/token/registry_token.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "forge.hpp"
#include "support/manual_clock.hpp"
#include "support/pki.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class RegistryTokenTest : public testing::Test {
 protected:
  std::string token(std::string_view subject = "alice") {
    return keys_.token_issuer().issue(subject, access_).token;
  }
  std::string check(const std::string& compact) {
    const auto got = keys_.token_verifier().verify(compact);
    if (!got) {
      EXPECT_EQ(got.error().kind(), ErrorClass::unauthorized);
    }
    return got ? "" : got.error().code();
  }
  std::string with(std::string_view claim, json::value value) {
    return test::resign(token(), keys_.token_signer(), claim, std::move(value));
  }
  std::int64_t now() { return clock_.wall().time_since_epoch().count(); }

  test::ManualClock clock_;
  test::TestRegistryKeys keys_{clock_};
  std::vector<auth::Access> access_ = {{"repository", "team/app", {"pull", "push"}},
                                       {"registry", "catalog", {"*"}}};
};

TEST_F(RegistryTokenTest, SaysWhoAndWhat) {
  const auto issued = keys_.token_issuer().issue("alice", access_);
  EXPECT_EQ(issued.expires_in, 300s);
  EXPECT_EQ(issued.issued_at, clock_.wall());
  const auto got = keys_.token_verifier().verify(issued.token);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->subject, "alice");
  EXPECT_EQ(got->access, access_);
  EXPECT_EQ(got->expires, clock_.wall() + 300s);
  EXPECT_EQ(got->id.size(), 32u);
}

TEST_F(RegistryTokenTest, AnonymousAndNothingGrantedIsStillAToken) {
  const auto got = keys_.token_verifier().verify(keys_.token_issuer().issue("", {}).token);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->subject, "");
  EXPECT_TRUE(got->access.empty());
}

TEST_F(RegistryTokenTest, RefusesWhatIsNoToken) {
  for (const std::string text : {"", "a.b.c", "hello", "e30.e30.AA"}) {
    EXPECT_EQ(check(text), "token_malformed") << text;
  }
}

TEST_F(RegistryTokenTest, RefusesOtherTokensOfConvoy) {
  test::TestCluster cluster(clock_);
  const auto claims = test::claims_of(token());
  EXPECT_EQ(check(crypto::sign_jwt(keys_.token_signer(), "convoy-ticket+jwt", claims)),
            "token_type");
  EXPECT_EQ(check(crypto::sign_jwt(keys_.metadata_signer(), "JWT", claims)),
            "certificate_wrong_use")
      << "the metadata key signs no tokens";
  EXPECT_EQ(check(crypto::sign_jwt(load_signer(cluster.pki.ticket_signer).value(), "JWT", claims)),
            "certificate_untrusted");
}

TEST_F(RegistryTokenTest, RefusesAnotherRegistrysToken) {
  test::TestRegistryKeys other(clock_);  // the same issuer and audience, other keys
  EXPECT_EQ(check(other.token_issuer().issue("alice", access_).token), "certificate_untrusted");
}

TEST_F(RegistryTokenTest, RefusesAnotherIssuerOrAudience) {
  EXPECT_EQ(check(with("iss", "other")), "token_issuer");
  EXPECT_EQ(check(with("iss", nullptr)), "token_issuer");
  EXPECT_EQ(check(with("aud", "other")), "token_audience");
  EXPECT_EQ(check(with("aud", nullptr)), "token_audience");
  EXPECT_EQ(check(with("aud", json::array{})), "token_audience");
  EXPECT_EQ(check(with("aud", json::array{"other", keys_.audience})), "") << "a list may name it";
}

TEST_F(RegistryTokenTest, RunsOutWithLeeway) {
  const std::string t = token();
  clock_.advance(300s + 59s);
  EXPECT_EQ(check(t), "");
  clock_.advance(1s);
  EXPECT_EQ(check(t), "token_expired");
}

TEST_F(RegistryTokenTest, BeginsWithLeeway) {
  const std::string t = token();
  clock_.advance(-60s);
  EXPECT_EQ(check(t), "");
  clock_.advance(-1s);
  EXPECT_EQ(check(t), "token_not_yet_valid");
}

TEST_F(RegistryTokenTest, TimesMustBeThere) {
  EXPECT_EQ(check(with("exp", nullptr)), "token_malformed");
  EXPECT_EQ(check(with("exp", "tomorrow")), "token_malformed");
  EXPECT_EQ(check(with("iat", nullptr)), "token_malformed");
  EXPECT_EQ(check(with("exp", now() + 24 * 3600 + 1)), "token_malformed") << "a day at most";
}

TEST_F(RegistryTokenTest, RefusesAccessItCannotRead) {
  const auto access = [&](json::value v) { return check(with("access", std::move(v))); };
  EXPECT_EQ(access("all"), "token_malformed");
  EXPECT_EQ(access(json::array{"all"}), "token_malformed");
  EXPECT_EQ(access(json::array{json::object{{"type", "repository"}, {"name", "a"}}}),
            "token_malformed");
  EXPECT_EQ(
      access(json::array{json::object{{"type", "repository"}, {"name", "a"}, {"actions", "pull"}}}),
      "token_malformed");
  EXPECT_EQ(access(json::array{
                json::object{{"type", 1}, {"name", "a"}, {"actions", json::array{"pull"}}}}),
            "token_malformed");
  EXPECT_EQ(check(with("sub", 7)), "token_malformed");
}

TEST_F(RegistryTokenTest, AKeyThatRollsOverNeedsNoNewTrust) {
  SystemRandom random;
  const auto ca = load_signer(keys_.pki.token_ca).value();
  crypto::CertSpec spec;
  spec.common_name = "next signer";
  spec.use = crypto::CertUse::token_signer;
  spec.not_before = clock_.wall() - 1h;
  spec.not_after = clock_.wall() + 1h;
  const auto key = crypto::PrivateKey::generate();
  const auto cert = crypto::issue(spec, key.public_key(), ca.chain[0], ca.key, random);
  const RegistryTokenIssuer next({key, {cert}}, keys_.issuer, keys_.audience, 300s, clock_, random);
  EXPECT_EQ(check(next.issue("alice", access_).token), "");
  EXPECT_EQ(check(token()), "");
}

}  // namespace
}  // namespace convoy::security
