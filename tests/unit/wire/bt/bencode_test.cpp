#include "wire/bt/bencode.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::bt {
namespace {

using test::code_of;

std::string decode_code(std::string_view text) { return code_of(decode_bencode(as_bytes(text))); }
std::string again(std::string_view text) {
  const auto value = decode_bencode(as_bytes(text));
  return value ? std::string(as_text(encode(*value))) : "(refused)";
}

TEST(Bencode, CanonicalTextComesBackTheSame) {
  for (auto text : {"i0e", "i-1e", "i9223372036854775807e", "i-9223372036854775808e", "0:", "3:a:b",
                    "le", "de", "li1el1:aee", "d0:i1e1:ai2e2:aai3e1:bli4eee"}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(Bencode, FindsMembers) {
  const auto value = decode_bencode(as_bytes("d1:ai1e1:b1:xe"));
  ASSERT_TRUE(value);
  EXPECT_EQ(*value->find("a")->integer(), 1);
  EXPECT_EQ(*value->find("b")->text(), "x");
  EXPECT_EQ(value->find("c"), nullptr);
  EXPECT_EQ(value->find("a")->find("a"), nullptr);
}

TEST(Bencode, RefusesEverySecondSpelling) {
  for (auto bad : {"",
                   "e",
                   "x",
                   "i",
                   "ie",
                   "i e",
                   "i-e",
                   "i-0e",
                   "i00e",
                   "i01e",
                   "i-01e",
                   "i+1e",
                   "i1",
                   "i1.0e",
                   "i9223372036854775808e",
                   "1",
                   "1:",
                   "2:a",
                   "01:a",
                   "-1:a",
                   "+1:a",
                   ":a",
                   " 1:a",
                   "99999999999999999999:a",
                   "l",
                   "li1e",
                   "d",
                   "d1:a",
                   "d1:ae",
                   "di1ei2ee",
                   "d1:bi1e1:ai2ee",
                   "d1:ai1e1:ai2ee",
                   "i1ei2e",
                   "dee",
                   "0:x"}) {
    EXPECT_EQ(decode_code(bad), "bencode_invalid") << bad;
  }
}

TEST(Bencode, IsSixteenLevelsDeepAndNoDeeper) {
  const auto nested = [](std::size_t n) { return std::string(n, 'l') + std::string(n, 'e'); };
  EXPECT_EQ(decode_code(nested(16)), "");
  EXPECT_EQ(decode_code(nested(17)), "bencode_invalid");
  EXPECT_EQ(decode_code(std::string(500'000, 'l')), "bencode_invalid");
}

TEST(Bencode, HoldsSixtyFiveThousandValuesAndNoMore) {
  const auto list = [](std::size_t n) {
    std::string text = "l";
    for (std::size_t i = 0; i < n; ++i) text += "0:";
    return text + "e";
  };
  EXPECT_EQ(decode_code(list(65'535)), "");
  EXPECT_EQ(decode_code(list(65'536)), "bencode_invalid");
}

TEST(Bencode, IsAtMostOneMebibyte) {
  const std::size_t limit = 1024 * 1024;
  EXPECT_EQ(decode_code("1048568:" + std::string(1048568, 'a')), "");  // 1 MiB with its prefix
  EXPECT_EQ(decode_code("1048569:" + std::string(limit - 7, 'a')), "bencode_invalid");
}

}  // namespace
}  // namespace convoy::bt
