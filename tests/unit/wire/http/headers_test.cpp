#include "wire/http/headers.hpp"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndKeepOrder) {
  Headers h;
  h.add("Accept", "a");
  h.add("Host", "x");
  h.add("ACCEPT", "b");
  EXPECT_EQ(h.get("accept"), "a");
  EXPECT_EQ(h.all("accept"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(h.size(), 3u);
  EXPECT_EQ(h.begin()->first, "Accept");
}

TEST(Headers, SingleRefusesARepeatedField) {
  Headers h;
  h.add("Authorization", "a");
  EXPECT_EQ(h.single("authorization"), "a");
  h.add("authorization", "b");
  EXPECT_FALSE(h.single("authorization"));
  EXPECT_FALSE(h.single("missing"));
}

TEST(Headers, SetReplacesEveryFieldOfTheName) {
  Headers h;
  h.add("a", "1");
  h.add("A", "2");
  h.set("a", "3");
  EXPECT_EQ(h.all("a"), std::vector<std::string_view>{"3"});
  h.remove("A");
  EXPECT_FALSE(h.has("a"));
}

TEST(Headers, OnlyAsciiLettersFold) {
  EXPECT_TRUE(iequals("X-Ab", "x-aB"));
  EXPECT_FALSE(iequals("a[", "a{"));
  EXPECT_FALSE(iequals("a", "ab"));
}

}  // namespace
}  // namespace convoy::http
