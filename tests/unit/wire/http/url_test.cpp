#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"
#include "wire/http/message.hpp"

namespace convoy::http {
namespace {

using test::code_of;

TEST(Url, TakesItsPartsApart) {
  const auto url = parse_url("HTTPS://Registry.Example:5000/v2/?a=b%20c");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "registry.example");
  EXPECT_EQ(url->port, 5000);
  EXPECT_EQ(url->target, "/v2/?a=b%20c");
  EXPECT_EQ(url->str(), "https://registry.example:5000/v2/?a=b%20c");
}

TEST(Url, FillsInPortAndPath) {
  EXPECT_EQ(parse_url("http://h")->port, 80);
  EXPECT_EQ(parse_url("https://h")->port, 443);
  EXPECT_EQ(parse_url("https://h")->target, "/");
  EXPECT_EQ(parse_url("https://h?x=1")->target, "/?x=1");
  EXPECT_EQ(parse_url("http://h:80/")->authority(), "h");
  EXPECT_EQ(parse_url("https://h:80/")->authority(), "h:80");
}

TEST(Url, AnIpv6HostHasNoBrackets) {
  const auto url = parse_url("http://[2001:db8::1]:8080/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->str(), "http://[2001:db8::1]:8080/x");
}

TEST(Url, RefusesWhatCouldPointElsewhere) {
  for (auto bad : {"",
                   "h",
                   "/v2",
                   "ftp://h/",
                   "https:/h",
                   "https:h",
                   "https://",
                   "https:///x",
                   "https://u@h/",
                   "https://u:p@h/",
                   "https://@h/",
                   "https://h/#f",
                   "https://h#",
                   "https://h:/",
                   "https://h:0/",
                   "https://h:65536/",
                   "https://h:99999999999/",
                   "https://h:a/",
                   "https://h%2ex/",
                   "https://h h/",
                   "https://h\\x/",
                   "https://h\n/",
                   "https://[::1",
                   "https://[v1.a]/",
                   "https://h/ x",
                   "https://h/%zz",
                   "file:///x",
                   "javascript:alert(1)",
                   " https://h/",
                   "https://\xc3\xa4/"}) {
    EXPECT_EQ(code_of(parse_url(bad)), "url_invalid") << bad;
  }
}

TEST(Url, IsAtMostEightKibibytes) {
  const std::string head = "https://h/";
  EXPECT_TRUE(parse_url(head + std::string(8192 - head.size(), 'a')));
  EXPECT_FALSE(parse_url(head + std::string(8193 - head.size(), 'a')));
}

}  // namespace
}  // namespace convoy::http
