#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"
#include "wire/http/message.hpp"

namespace convoy::http {
namespace {

using Segments = std::vector<std::string>;
using test::code_of;

TEST(Target, TakesPathAndQueryApart) {
  const auto t = parse_target("/v2/a/b/?digest=sha256%3Aab&mount=&x&digest=2&s=a+b%2Bc");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->segments, (Segments{"v2", "a", "b"}));
  EXPECT_TRUE(t->trailing_slash);
  EXPECT_EQ(t->query_value("digest"), "sha256:ab");
  EXPECT_EQ(t->query_values("digest").size(), 2u);
  EXPECT_EQ(t->query_value("mount"), "");
  EXPECT_EQ(t->query_value("x"), "");
  EXPECT_EQ(t->query_value("s"), "a b+c");
  EXPECT_FALSE(t->query_value("none"));
}

TEST(Target, TheRootIsOneTrailingSlash) {
  EXPECT_TRUE(parse_target("/")->segments.empty());
  EXPECT_TRUE(parse_target("/")->trailing_slash);
  EXPECT_FALSE(parse_target("/v2")->trailing_slash);
  EXPECT_TRUE(parse_target("/?")->query.empty());
}

TEST(Target, DecodesOnce) {
  EXPECT_EQ(parse_target("/a%252fb")->segments, Segments{"a%2fb"});
  EXPECT_EQ(parse_target("/a+b")->segments, Segments{"a+b"});
}

TEST(Target, RefusesPathsThatAnotherReaderWouldReadDifferently) {
  for (auto bad :
       {"",      "v2",        "*",       "http://h/v2", "//h/v2",  "/a//b",     "/a//",   "/.",
        "/..",   "/a/../b",   "/%2e%2e", "/%2E./a",     "/a/.%2e", "/a%2fb",    "/a%2Fb", "/a%00",
        "/a%0a", "/a%7f",     "/a%",     "/a%2",        "/a%zz",   "/a#b",      "/a b",   "/a\tb",
        "/a\\b", "/\xc3\xa4", "/a\"",    "/a?x=%",      "/a?%zz",  "/a?x=\x01", "/a?#",   "?a=b"}) {
    EXPECT_EQ(code_of(parse_target(bad)), "target_invalid") << bad;
  }
  EXPECT_FALSE(parse_target(std::string_view("/a\0b", 4)));
}

TEST(Target, AQueryValueMayHoldAnyByte) {
  EXPECT_EQ(parse_target("/a?h=%00%ff%0a%2f")->query_value("h"), std::string_view("\0\xff\n/", 4));
}

TEST(Target, IsAtMostEightKibibytes) {
  EXPECT_TRUE(parse_target("/" + std::string(8191, 'a')));
  EXPECT_FALSE(parse_target("/" + std::string(8192, 'a')));
}

TEST(Target, HasAtMostSixtyFourParameters) {
  std::string text = "/?a=1";
  for (int i = 1; i < 64; ++i) text += "&a=1";
  EXPECT_EQ(parse_target(text)->query.size(), 64u);
  EXPECT_TRUE(parse_target(text + "&&"));
  EXPECT_FALSE(parse_target(text + "&b"));
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encode("a b+/:\xff"), "a%20b%2B%2F%3A%FF");
}

TEST(Reason, KnowsTheStatusesConvoySends) {
  EXPECT_EQ(reason(416), "Range Not Satisfiable");
  EXPECT_EQ(reason(200), "OK");
  EXPECT_EQ(reason(299), "");
}

}  // namespace
}  // namespace convoy::http
