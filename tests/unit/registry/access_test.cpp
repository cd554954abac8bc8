#include "registry/core/access.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/pki.hpp"

namespace convoy::registry {
namespace {

namespace json = boost::json;

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() : keys_(clock_), access_(keys_.token_verifier(), keys_.audience, clock_) {}

  std::string code_of(const std::string& authorization,
                      const std::string& scope = "repository:a:pull") {
    auto checked = access_.check(authorization, auth::parse_scope(scope).value());
    return checked ? "ok" : checked.error().code();
  }
  std::string bearer(test::TestRegistryKeys& keys, const std::string& scope) {
    return "Bearer " + keys.token_issuer().issue("ann", auth::parse_scope(scope).value()).token;
  }
  json::object claims() {
    const auto now = clock_.wall().time_since_epoch().count();
    json::object access{{"type", "repository"}, {"name", "a"}, {"actions", json::array{"pull"}}};
    return {{"iss", keys_.issuer},
            {"sub", "mallory"},
            {"aud", keys_.audience},
            {"exp", now + 300},
            {"nbf", now},
            {"iat", now},
            {"jti", "x"},
            {"access", json::array{access}}};
  }

  test::ManualClock clock_;
  test::TestRegistryKeys keys_;
  AccessControl access_;
};

TEST_F(AccessTest, GoodTokenNamesTheCaller) {
  auto caller = access_.check(bearer(keys_, "repository:a:pull,push"),
                              auth::parse_scope("repository:a:pull,push").value());
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->subject, "ann");
  EXPECT_TRUE(caller->may("a", "push"));
  EXPECT_FALSE(caller->may("a", "delete"));
  EXPECT_FALSE(caller->may("b", "pull"));
}

TEST_F(AccessTest, NarrowTokenIsInsufficient) {
  EXPECT_EQ(code_of(bearer(keys_, "repository:a:pull"), "repository:a:pull,push"),
            "token_insufficient_scope");
  EXPECT_EQ(code_of(bearer(keys_, "repository:b:pull")), "token_insufficient_scope");
  EXPECT_EQ(code_of(bearer(keys_, "")), "token_insufficient_scope");
  EXPECT_EQ(code_of(bearer(keys_, "repository:a:*"), "registry:catalog:*"),
            "token_insufficient_scope");
}

TEST_F(AccessTest, EveryForgeryIsRefused) {
  test::TestRegistryKeys foreign(clock_, keys_.issuer, keys_.audience);
  EXPECT_EQ(code_of(bearer(foreign, "repository:a:pull")), "certificate_untrusted");

  test::TestRegistryKeys other_issuer(clock_, "someone", keys_.audience);
  EXPECT_NE(code_of(bearer(other_issuer, "repository:a:pull")), "ok");

  // Our own key, another audience.
  SystemRandom random;
  const security::RegistryTokenIssuer elsewhere(keys_.token_signer(), keys_.issuer, "elsewhere",
                                                std::chrono::minutes(5), clock_, random);
  EXPECT_EQ(code_of("Bearer " +
                    elsewhere.issue("ann", auth::parse_scope("repository:a:pull").value()).token),
            "token_audience");

  // alg none, with and without our chain.
  const std::string none = auth::jwt_signing_input({{"alg", "none"}, {"typ", "JWT"}}, claims());
  EXPECT_NE(code_of("Bearer " + none + "."), "ok");

  // The key in the header (CVE-2025-24976): kid of ours, jwk and signature of the attacker.
  const auto attacker = crypto::PrivateKey::generate();
  json::object header{
      {"alg", "ES256"},
      {"typ", "JWT"},
      {"kid", keys_.token_signer().key.public_key().thumbprint()},
      {"jwk", json::object{{"kty", "EC"}, {"crv", "P-256"}, {"x", "AA"}, {"y", "AA"}}}};
  const std::string input = auth::jwt_signing_input(header, claims());
  EXPECT_NE(code_of("Bearer " + auth::jwt_compact(input, attacker.sign(as_bytes(input)))), "ok");

  // Our chain, the attacker's signature.
  header.erase("jwk");
  header["x5c"] = json::array{to_base64(keys_.token_signer().chain.front().der())};
  const std::string with_chain = auth::jwt_signing_input(header, claims());
  EXPECT_EQ(code_of("Bearer " + auth::jwt_compact(with_chain, attacker.sign(as_bytes(with_chain)))),
            "token_signature");

  // HS256 keyed with the public key.
  header["alg"] = "HS256";
  const std::string hmac = auth::jwt_signing_input(header, claims());
  EXPECT_NE(code_of("Bearer " + auth::jwt_compact(hmac, Bytes(32, 1))), "ok");

  // The metadata signer of the same CA signs no tokens.
  EXPECT_NE(code_of("Bearer " + crypto::sign_jwt(keys_.metadata_signer(), "JWT", claims())), "ok");
}

TEST_F(AccessTest, TokensRunOutAlsoWhenTheyAreRemembered) {
  const auto good = bearer(keys_, "repository:a:pull");
  EXPECT_EQ(code_of(good), "ok");
  clock_.advance(std::chrono::seconds(299));
  EXPECT_EQ(code_of(good), "ok");
  clock_.advance(std::chrono::seconds(62));
  EXPECT_EQ(code_of(good), "token_expired");
  clock_.advance(-std::chrono::seconds(600));
  EXPECT_EQ(code_of(bearer(keys_, "repository:a:pull")), "ok");
  EXPECT_EQ(code_of(good), "token_not_yet_valid");
}

TEST_F(AccessTest, OtherCredentialsAreRefused) {
  EXPECT_EQ(code_of(auth::basic_header("ann", Secret("x"))), "authorization_invalid");
  for (const char* bad :
       {"", "Bearer", "Bearer ", "Bearer a b", "Digest x", "Bearer not.a.token"}) {
    EXPECT_NE(code_of(bad), "ok") << bad;
  }
  EXPECT_EQ(access_.check(std::nullopt, {}).error().code(), "token_missing");
}

TEST_F(AccessTest, ManyTokensDoNotGrowTheMemory) {
  // More than the table holds; each is still right.
  const auto first = bearer(keys_, "repository:a:pull");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(code_of(bearer(keys_, "repository:a:pull")), "ok");
  EXPECT_EQ(code_of(first), "ok");
}

TEST_F(AccessTest, ChallengeTellsWhatIsNeeded) {
  const auto needs = auth::parse_scope("repository:a:pull,push repository:b:pull").value();
  auto missing = access_.challenge("https://r/token", needs, unauthorized("token_missing"));
  EXPECT_EQ(missing.params["realm"], "https://r/token");
  EXPECT_EQ(missing.params["service"], keys_.audience);
  EXPECT_EQ(missing.params["scope"], "repository:a:pull,push repository:b:pull");
  EXPECT_FALSE(missing.params.contains("error"));
  auto narrow = access_.challenge("r", needs, unauthorized("token_insufficient_scope"));
  EXPECT_EQ(narrow.params["error"], "insufficient_scope");
  auto bad = access_.challenge("r", {}, unauthorized("token_expired"));
  EXPECT_EQ(bad.params["error"], "invalid_token");
  EXPECT_FALSE(bad.params.contains("scope"));
}

}  // namespace
}  // namespace convoy::registry
