#include "wire/oci/reference.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::oci {
namespace {

using test::code_of;

TEST(RepoName, AcceptsTheGrammarOfTheSpecification) {
  for (auto good :
       {"a", "0", "library/alpine", "a.b_c__d-e---f/g", "x/y/z", "registry.example/a"}) {
    EXPECT_EQ(code_of(RepoName::parse(good)), "") << good;
  }
}

TEST(RepoName, RefusesWhatCouldNameAPathOrAnotherSpelling) {
  for (auto bad : {"",     "/",  "a/",  "/a",  "a//b",  "..",   "a/..",  "a/../b", ".a",
                   "a.",   "-a", "a-",  "_a",  "a_",    "a..b", "a___b", "a._b",   "a.-b",
                   "a-_b", "A",  "a/B", "a b", "a%2fb", "a:b",  "a\\b",  "a\n",    "\xc3\xa4"}) {
    EXPECT_EQ(code_of(RepoName::parse(bad)), "name_invalid") << bad;
  }
  EXPECT_FALSE(RepoName::parse(std::string_view("a\0b", 3)));
}

TEST(RepoName, IsAtMostTwoHundredCharacters) {
  EXPECT_TRUE(RepoName::parse(std::string(200, 'a')));
  EXPECT_FALSE(RepoName::parse(std::string(201, 'a')));
}

TEST(Tag, AcceptsItsGrammarUpToItsLimit) {
  for (auto good : {"latest", "_", "v1.2.3-rc_4", "A", "0"}) {
    EXPECT_EQ(code_of(Tag::parse(good)), "") << good;
  }
  EXPECT_TRUE(Tag::parse(std::string(128, 'a')));
  EXPECT_FALSE(Tag::parse(std::string(129, 'a')));
  for (auto bad : {"", ".", "..", "-a", ".a", "a/b", "a:b", "a b", "a\n", "a+b"}) {
    EXPECT_EQ(code_of(Tag::parse(bad)), "tag_invalid") << bad;
  }
}

TEST(Reference, TextWithAColonMustBeADigest) {
  const auto digest = "sha256:" + std::string(64, 'a');
  EXPECT_TRUE(std::holds_alternative<Digest>(*parse_reference(digest)));
  EXPECT_EQ(to_string(*parse_reference(digest)), digest);
  EXPECT_EQ(to_string(*parse_reference("latest")), "latest");
  EXPECT_EQ(code_of(parse_reference("sha256:abc")), "digest_invalid");
  EXPECT_EQ(code_of(parse_reference("a:b")), "digest_invalid");
  EXPECT_EQ(code_of(parse_reference("../x")), "tag_invalid");
}

TEST(RegistryHost, TakesHostAndPortApart) {
  const struct {
    const char* text;
    const char* host;
    std::uint16_t port;
  } cases[] = {{"registry.example", "registry.example", 443},
               {"localhost:5000", "localhost", 5000},
               {"10.0.0.1:65535", "10.0.0.1", 65535},
               {"[::1]", "::1", 443},
               {"[2001:db8::1]:1", "2001:db8::1", 1}};
  for (const auto& c : cases) {
    const auto host = RegistryHost::parse(c.text);
    ASSERT_TRUE(host) << c.text;
    EXPECT_EQ(host->str(), c.text);
    EXPECT_EQ(host->host(), c.host);
    EXPECT_EQ(host->port(), c.port);
  }
}

TEST(RegistryHost, RefusesEverythingElse) {
  for (auto bad : {"",       ":",      "a:",    ":1",     "a:0",         "a:01", "a:65536", "a:-1",
                   "a:1x",   "a:1:2",  "A",     "a..b",   ".a",          "a.",   "-a",      "a-",
                   "a_b",    "a/b",    "a b",   "user@a", "[",           "[]",   "[::1",    "::1",
                   "[::1]5", "[::1]:", "[::G]", "[::A]",  "[127.0.0.1]", "a]",   "a\n",     "*"}) {
    EXPECT_EQ(code_of(RegistryHost::parse(bad)), "registry_invalid") << bad;
  }
  EXPECT_FALSE(RegistryHost::parse(std::string_view("[::1\0]", 6)));
}

TEST(RegistryHost, IsAtMostTwoHundredAndFiftyFiveCharacters) {
  std::string name(63, 'a');
  while (name.size() < 255)
    name += "." + std::string(std::min<std::size_t>(63, 254 - name.size()), 'a');
  ASSERT_EQ(name.size(), 255u);
  EXPECT_TRUE(RegistryHost::parse(name));
  EXPECT_FALSE(RegistryHost::parse(name + "a"));
  EXPECT_FALSE(RegistryHost::parse(std::string(64, 'a')));
}

}  // namespace
}  // namespace convoy::oci
