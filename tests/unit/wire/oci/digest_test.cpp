#include "wire/oci/digest.hpp"

#include <gtest/gtest.h>
#include <unordered_set>

#include "support/wire_code_of.hpp"

namespace convoy::oci {
namespace {

using test::code_of;

const std::string kHex256(64, 'a');
const std::string kHex512(128, 'b');

TEST(Digest, KeepsItsText) {
  for (const auto& text : {"sha256:" + kHex256, "sha512:" + kHex512}) {
    const auto digest = Digest::parse(text);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->str(), text);
    EXPECT_EQ(digest->hex(), text.substr(7));
    EXPECT_EQ(Digest::of(digest->algorithm(), digest->raw()), *digest);
  }
}

TEST(Digest, RefusesEverythingElse) {
  const std::string bad[] = {
      "",
      ":",
      kHex256,
      "sha256",
      "sha256:",
      "sha256:" + kHex256 + "a",
      "sha256:" + kHex256.substr(1),
      "sha256:" + kHex512,
      "sha512:" + kHex256,
      "sha1:" + std::string(40, 'a'),
      "SHA256:" + kHex256,
      "sha256:" + std::string(64, 'A'),
      "sha256:" + std::string(63, 'a') + "g",
      "sha256:" + std::string(63, 'a') + "/",
      "sha256:" + std::string(61, 'a') + "/..",
      " sha256:" + kHex256,
      "sha256:" + kHex256 + "\n",
      "sha256:" + std::string(63, 'a') + std::string(1, '\0'),
  };
  for (const auto& text : bad) EXPECT_EQ(code_of(Digest::parse(text)), "digest_invalid") << text;
}

TEST(Digest, OrdersAndHashesByContent) {
  const auto a = *Digest::parse("sha256:" + kHex256);
  const auto b = *Digest::parse("sha512:" + kHex512);
  EXPECT_NE(a, b);
  EXPECT_LT(a, b);
  EXPECT_EQ((std::unordered_set<Digest>{a, b, a}).size(), 2u);
}

TEST(DigestDeathTest, RawBytesOfTheWrongLengthEndTheProcess) {
  EXPECT_DEATH((void)Digest::of(DigestAlgorithm::sha512, Bytes(32)), "");
}

}  // namespace
}  // namespace convoy::oci
