#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace convoy {
namespace {

std::string text(const std::optional<Bytes>& bytes) {
  return bytes ? std::string(as_text(*bytes)) : "(refused)";
}

TEST(Hex, IsLowerCaseAndStrict) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xff, 0x1a}), "00ff1a");
  EXPECT_EQ(from_hex("00ff1a"), (Bytes{0x00, 0xff, 0x1a}));
  EXPECT_EQ(from_hex(""), Bytes{});
  for (auto bad : {"0", "0g", "FF", "0x", " 0", "0 "}) EXPECT_FALSE(from_hex(bad)) << bad;
}

TEST(Hex, AHash256HasSixtyFourDigits) {
  EXPECT_TRUE(hash256_from_hex(std::string(64, 'a')));
  EXPECT_FALSE(hash256_from_hex(std::string(62, 'a')));
  EXPECT_FALSE(hash256_from_hex(std::string(66, 'a')));
}

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(text(from_base64(encoded)), plain);
    std::string unpadded(encoded);
    unpadded.erase(std::min(unpadded.find('='), unpadded.size()));
    EXPECT_EQ(to_base64url(as_bytes(plain)), unpadded);
    EXPECT_EQ(text(from_base64url(unpadded)), plain);
  }
}

TEST(Base64, RefusesEverySecondSpelling) {
  for (auto bad : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm9v\n", " Zm9v", "Zm-_", "=",
                   "====", "Zg==Zg==", "Z=g="}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
  EXPECT_FALSE(from_base64(std::string_view("Zm9\0", 4)));
}

TEST(Base64Url, RefusesPaddingBlanksAndStrayBits) {
  for (auto bad : {"Zg==", "Zg=", "Zh", "Zm9", "Z", "Zm+/", "Zm9v ", "Zm\n9v"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
  EXPECT_EQ(from_base64url("-_8"), (Bytes{0xfb, 0xff}));
}

TEST(Base64, RoundTripsEveryLength) {
  SeededRandom random(7);
  for (std::size_t n = 0; n < 70; ++n) {
    Bytes raw(n);
    random.fill(raw);
    EXPECT_EQ(from_base64(to_base64(raw)), raw);
    EXPECT_EQ(from_base64url(to_base64url(raw)), raw);
    EXPECT_EQ(from_hex(to_hex(raw)), raw);
  }
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
  EXPECT_TRUE(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("ab")));
  EXPECT_TRUE(constant_time_equal({}, {}));
}

}  // namespace
}  // namespace convoy
