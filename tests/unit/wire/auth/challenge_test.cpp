#include "wire/auth/challenge.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::auth {
namespace {

using test::code_of;

TEST(Challenge, ReadsWhatRegistriesSend) {
  const auto list = parse_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push")");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->at(0).scheme, "bearer");
  EXPECT_EQ(list->at(0).params.at("realm"), "https://auth.example/token");
  EXPECT_EQ(list->at(0).params.at("scope"), "repository:a/b:pull,push");
}

TEST(Challenge, SeveralMayShareAHeader) {
  const auto list = parse_challenges(
      R"(, Negotiate , NTLM abc== ,Basic REALM = "a, b=\"c\"" , charset=UTF-8,  Bearer realm=x)");
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->size(), 4u);
  EXPECT_TRUE(list->at(0).params.empty());
  EXPECT_EQ(list->at(1).params.at(""), "abc==");
  EXPECT_EQ(list->at(2).params.at("realm"), "a, b=\"c\"");
  EXPECT_EQ(list->at(2).params.at("charset"), "UTF-8");
  EXPECT_EQ(list->at(3).params.at("realm"), "x");
}

TEST(Challenge, AKeyWithoutAValueIsAToken68AndNoRealm) {
  const auto list = parse_challenges("Bearer realm=");
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->at(0).params.contains("realm"));
}

TEST(Challenge, RefusesWhatDoesNotParse) {
  for (auto bad :
       {"", " ", ",", "=x", "Bearer realm=\"x", "Bearer realm=\"x\\", "Bearer realm=,a=b",
        "Bearer realm=x realm=y", "Bearer realm=x,realm=y", "Bearer a=1,A=2", "Bear\"er",
        "Bearer realm=\"a\nb\"", "Bearer \"x\"", "Bearer x y", "Bearer\trealm=\"\x01\""}) {
    EXPECT_EQ(code_of(parse_challenges(bad)), "challenge_invalid") << bad;
  }
}

TEST(Challenge, HasLimits) {
  EXPECT_FALSE(parse_challenges("Basic realm=\"" + std::string(16 * 1024, 'a') + "\""));
  std::string schemes = "A";
  for (int i = 1; i < 16; ++i) schemes += ",A";
  EXPECT_EQ(parse_challenges(schemes)->size(), 16u);
  EXPECT_FALSE(parse_challenges(schemes + ",A"));
  std::string params = "A p0=1";
  for (int i = 1; i < 32; ++i) params += ",p" + std::to_string(i) + "=1";
  EXPECT_EQ(parse_challenges(params)->at(0).params.size(), 32u);
  EXPECT_FALSE(parse_challenges(params + ",q=1"));
}

TEST(Challenge, IsWrittenRealmFirstAndEscaped) {
  EXPECT_EQ(to_header({"bearer",
                       {{"error", "invalid_token"},
                        {"realm", "https://a"},
                        {"scope", "s"},
                        {"service", "v\"\\"}}}),
            R"(Bearer realm="https://a",service="v\"\\",scope="s",error="invalid_token")");
  EXPECT_EQ(to_header({"basic", {}}), "Basic");
}

TEST(Challenge, AValueCannotBreakTheHeader) {
  EXPECT_EQ(to_header({"basic", {{"realm", "a\r\nSet-Cookie: x\x7f"}}}),
            "Basic realm=\"aSet-Cookie: x\"");
}

TEST(Challenge, RoundTrips) {
  const Challenge challenge{"bearer", {{"realm", "a \"q\" \\ b"}, {"service", ""}, {"x", "=,"}}};
  const auto list = parse_challenges(to_header(challenge));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at(0).params, challenge.params);
}

std::string basic(std::string_view pair) { return "Basic " + to_base64(as_bytes(pair)); }

TEST(Authorization, ReadsBasic) {
  const auto credential = parse_authorization(basic("user:pass:word"));
  ASSERT_TRUE(credential);
  const auto& b = std::get<BasicCredential>(*credential);
  EXPECT_EQ(b.user, "user");
  EXPECT_EQ(b.password.reveal(), "pass:word");
  EXPECT_TRUE(parse_authorization("bAsIc Og=="));
}

TEST(Authorization, ReadsBearer) {
  const auto credential = parse_authorization("bearer a.b-c_d~e+f/==");
  ASSERT_TRUE(credential);
  EXPECT_EQ(std::get<BearerCredential>(*credential).token.reveal(), "a.b-c_d~e+f/==");
}

TEST(Authorization, RefusesEverythingElse) {
  const std::string bad[] = {"",
                             "Basic",
                             "Basic ",
                             "Basic  dTpw",
                             " Basic dTpw",
                             "Basic\tdTpw",
                             "Basic dTpw ",
                             "Basic dTpw,",
                             "Basic dTp",
                             "Basic dXA=",  // no colon
                             "Basic dT-w",
                             basic("u\n:p"),
                             basic("u:p\x7f"),
                             basic(std::string_view("u\0:p", 4)),
                             "Bearer",
                             "Bearer ",
                             "Bearer  a",
                             "Bearer a b",
                             "Bearer a,b",
                             "Bearer a\n",
                             "Bearer =",
                             "Bearer a=b",
                             "Digest a",
                             "Bearer\"a"};
  for (const auto& text : bad) {
    const auto refused = parse_authorization(text);
    EXPECT_EQ(code_of(refused), "authorization_invalid") << text;
    EXPECT_EQ(refused.error().kind(), ErrorClass::unauthorized);
  }
}

TEST(Authorization, IsAtMostSixteenKibibytes) {
  const std::string head = "Bearer ";
  EXPECT_TRUE(parse_authorization(head + std::string(16 * 1024 - head.size(), 'a')));
  EXPECT_FALSE(parse_authorization(head + std::string(16 * 1024 + 1 - head.size(), 'a')));
}

TEST(Authorization, BasicHeaderRoundTrips) {
  const auto credential = parse_authorization(basic_header("robot$ci", Secret("p:\xc3\xa4")));
  ASSERT_TRUE(credential);
  EXPECT_EQ(std::get<BasicCredential>(*credential).user, "robot$ci");
  EXPECT_EQ(std::get<BasicCredential>(*credential).password.reveal(), "p:\xc3\xa4");
}

}  // namespace
}  // namespace convoy::auth
