#include "wire/auth/jwt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::auth {
namespace {

using test::code_of;

std::string token(std::string_view header, std::string_view claims = "{}") {
  return to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(claims)) + ".AQID";
}
std::string header_code(std::string_view header) { return code_of(parse_jwt(token(header))); }

TEST(Jwt, IsTakenApartAndPutTogether) {
  const auto input = jwt_signing_input(
      {{"alg", "ES256"}, {"typ", "JWT"}, {"kid", "k"}, {"x5c", {"AAEC", "/w=="}}}, {{"sub", "me"}});
  const auto jwt = parse_jwt(jwt_compact(input, Bytes{1, 2, 3}));
  ASSERT_TRUE(jwt) << jwt.error().text();
  EXPECT_EQ(jwt->algorithm, "ES256");
  EXPECT_EQ(jwt->type, "JWT");
  EXPECT_EQ(jwt->key_id, "k");
  EXPECT_EQ(jwt->chain, (std::vector<Bytes>{{0, 1, 2}, {0xff}}));
  EXPECT_EQ(jwt->claims.at("sub").as_string(), "me");
  EXPECT_EQ(jwt->signing_input, input);
  EXPECT_EQ(jwt->signature, (Bytes{1, 2, 3}));
}

TEST(Jwt, ReadsTheExampleOfRfc7515) {
  const auto jwt = parse_jwt(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->algorithm, "HS256");
  EXPECT_EQ(jwt->claims.at("exp").as_int64(), 1300819380);
  EXPECT_EQ(jwt->signature.size(), 32u);
}

TEST(Jwt, RefusesHeadersThatPromiseMoreThanIsUnderstood) {
  EXPECT_EQ(header_code(R"({"alg":"ES256"})"), "");
  EXPECT_EQ(header_code(R"({"alg":"ES256","jwk":{"kty":"EC"},"jku":"https://x"})"), "");
  for (auto bad : {R"({"alg":"ES256","crit":["b64"]})", R"({"alg":"ES256","crit":[]})",
                   R"({"alg":"ES256","crit":null})", R"({})", R"({"alg":1})", R"({"alg":null})",
                   R"({"alg":"ES256","alg":"none"})", R"({"alg":"ES256","typ":1})",
                   R"({"alg":"ES256","kid":{}})", R"(["ES256"])", "x", ""}) {
    EXPECT_EQ(header_code(bad), "token_malformed") << bad;
  }
}

TEST(Jwt, RefusesBadChains) {
  for (auto bad : {R"([])", R"("AAEC")", R"([1])", R"([""])", R"(["AAE"])", R"(["__8="])",
                   R"(["AA EC"])", R"(null)"}) {
    EXPECT_EQ(header_code(R"({"alg":"ES256","x5c":)" + std::string(bad) + "}"), "token_malformed")
        << bad;
  }
  std::string six = R"("AAEC")";
  for (int i = 1; i < 6; ++i) six += R"(,"AAEC")";
  EXPECT_EQ(header_code(R"({"alg":"a","x5c":[)" + six + "]}"), "");
  EXPECT_EQ(header_code(R"({"alg":"a","x5c":[)" + six + R"(,"AAEC"]})"), "token_malformed");
}

TEST(Jwt, RefusesEverythingButThreeStrictParts) {
  const auto good = token(R"({"alg":"a"})");
  const auto head = good.substr(0, good.find('.'));
  EXPECT_EQ(code_of(parse_jwt(good)), "");
  const std::string bad[] = {"",
                             ".",
                             "..",
                             "a.b",
                             head,
                             head + "..",
                             head + ".e30",
                             good + ".",
                             good + ".AQ",
                             good + "=",
                             good + "\n",
                             " " + good,
                             head + "=.e30.",
                             head + ".e30=.",
                             head + ".e30.A",
                             head + ".e30.AR"};
  for (const auto& text : bad) EXPECT_EQ(code_of(parse_jwt(text)), "token_malformed") << text;
  EXPECT_EQ(code_of(parse_jwt(token(R"({"alg":"a"})", R"({"sub":"a","sub":"b"})"))),
            "token_malformed");
  EXPECT_EQ(code_of(parse_jwt(token(R"({"alg":"a"})", "[]"))), "token_malformed");
}

TEST(Jwt, IsAtMostSixteenKibibytes) {
  const auto good = token(R"({"alg":"a"})", R"({"a":"b"})");
  const auto head = good.substr(0, good.size() - 4);
  EXPECT_EQ(code_of(parse_jwt(head + std::string(16 * 1024 - head.size(), 'A'))), "");
  EXPECT_EQ(code_of(parse_jwt(head + std::string(16 * 1024 + 4 - head.size(), 'A'))),
            "token_malformed");
}

struct Times : testing::Test {
  static std::string check(boost::json::object claims) {
    return code_of(
        check_times(claims, UnixTime(std::chrono::seconds(1000)), std::chrono::seconds(60)));
  }
};

TEST_F(Times, HoldWithTheLeewayAndNotASecondLonger) {
  EXPECT_EQ(check({{"exp", 1001}}), "");
  EXPECT_EQ(check({{"exp", 941}}), "");
  EXPECT_EQ(check({{"exp", 940}}), "token_expired");
  EXPECT_EQ(check({{"exp", 2000}, {"nbf", 1060}, {"iat", 1060}}), "");
  EXPECT_EQ(check({{"exp", 2000}, {"nbf", 1061}}), "token_not_yet_valid");
  EXPECT_EQ(check({{"exp", 2000}, {"iat", 1061}}), "token_not_yet_valid");
}

TEST_F(Times, MustBeIntegersAndExpMustBeThere) {
  EXPECT_EQ(check({}), "token_malformed");
  EXPECT_EQ(check({{"exp", "2000"}}), "token_malformed");
  EXPECT_EQ(check({{"exp", 2000.5}}), "token_malformed");
  EXPECT_EQ(check({{"exp", nullptr}}), "token_malformed");
  EXPECT_EQ(check({{"exp", 2000}, {"nbf", "1"}}), "token_malformed");
  EXPECT_EQ(check({{"exp", 2000}, {"iat", 1.0}}), "token_malformed");
}

TEST_F(Times, ExtremesDoNotOverflow) {
  EXPECT_EQ(check({{"exp", INT64_MAX}}), "");
  EXPECT_EQ(check({{"exp", INT64_MIN}}), "token_expired");
  EXPECT_EQ(check({{"exp", std::uint64_t{1} << 63}}), "token_malformed");
  EXPECT_EQ(check({{"exp", 2000}, {"nbf", INT64_MAX}}), "token_not_yet_valid");
  EXPECT_EQ(check({{"exp", 2000}, {"iat", INT64_MIN}}), "");
}

TEST(Audience, IsTextOrAList) {
  EXPECT_TRUE(audience_has({{"aud", "swarm"}}, "swarm"));
  EXPECT_TRUE(audience_has({{"aud", {"a", "swarm"}}}, "swarm"));
  EXPECT_FALSE(audience_has({{"aud", {"a", "b"}}}, "swarm"));
  EXPECT_FALSE(audience_has({{"aud", "swarm2"}}, "swarm"));
  EXPECT_FALSE(audience_has({{"aud", 1}}, "1"));
  EXPECT_FALSE(audience_has({}, ""));
}

}  // namespace
}  // namespace convoy::auth
