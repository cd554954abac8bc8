#include "crypto/password.hpp"

#include <gtest/gtest.h>

namespace convoy::crypto {
namespace {

// Of "U*U", from the test vectors of crypt_blowfish.
constexpr std::string_view kBcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

bool matches(std::string_view password, std::string_view hash) {
  return verify_password(Secret(std::string(password)), hash);
}

TEST(Password, BcryptKnownAnswer) {
  EXPECT_TRUE(matches("U*U", kBcrypt));
  EXPECT_FALSE(matches("U*V", kBcrypt));
  EXPECT_FALSE(matches("", kBcrypt));
}

TEST(Password, ArgonRoundTrip) {
  SystemRandom random;
  const std::string hash = hash_password(Secret("correct horse"), random);
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(acceptable_hash(hash));
  EXPECT_TRUE(matches("correct horse", hash));
  EXPECT_FALSE(matches("correct horsf", hash));
  EXPECT_NE(hash, hash_password(Secret("correct horse"), random)) << "salted";
}

TEST(Password, WhatFollowsANulCounts) {
  EXPECT_FALSE(matches(std::string_view("U*U\0x", 5), kBcrypt));
}

TEST(Password, UnknownFormatsNeverMatch) {
  EXPECT_FALSE(matches("", ""));
  EXPECT_FALSE(matches("secret", "secret"));
  EXPECT_FALSE(matches("secret", "{PLAIN}secret"));
  EXPECT_FALSE(matches("x", "$1$salt$qJH7.N4xYta3aEG/dfqo/0"));
  EXPECT_FALSE(matches("x", "*0"));
  EXPECT_FALSE(matches("x", "$2a$05$"));
  EXPECT_FALSE(matches("x", std::string(kBcrypt) + "x"));
  EXPECT_FALSE(matches("x", "$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_FALSE(matches("x", "$argon2d$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAA"));
}

std::string bcrypt_of_cost(std::string_view cost) {
  std::string hash(kBcrypt);
  hash.replace(4, 2, cost);
  return hash;
}
std::string argon(std::string_view parameters) {
  return "$argon2id$v=19$" + std::string(parameters) +
         "$c29tZXNhbHRzb21lc2FsdA$q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
}

TEST(Password, OnlyReasonableCostsAreAcceptable) {
  EXPECT_FALSE(acceptable_hash(bcrypt_of_cost("09")));
  EXPECT_TRUE(acceptable_hash(bcrypt_of_cost("10")));
  EXPECT_TRUE(acceptable_hash(bcrypt_of_cost("14")));
  EXPECT_FALSE(acceptable_hash(bcrypt_of_cost("15")));
  EXPECT_FALSE(acceptable_hash(bcrypt_of_cost("1x")));
  EXPECT_TRUE(acceptable_hash(argon("m=19456,t=2,p=1")));
  EXPECT_FALSE(acceptable_hash(argon("m=19455,t=2,p=1")));
  EXPECT_FALSE(acceptable_hash(argon("m=19456,t=1,p=1")));
  EXPECT_TRUE(acceptable_hash(argon("m=262144,t=4,p=8")));
  EXPECT_FALSE(acceptable_hash(argon("m=262145,t=2,p=1")));
  EXPECT_FALSE(acceptable_hash(argon("m=262144,t=5,p=1")));
  EXPECT_FALSE(acceptable_hash(argon("m=19456,t=2,p=9")));
  EXPECT_FALSE(acceptable_hash(argon("m=19456,t=2,p=0")));
  EXPECT_FALSE(acceptable_hash(argon("m=99999999999,t=2,p=1")));
  EXPECT_FALSE(acceptable_hash("secret"));
  EXPECT_FALSE(acceptable_hash(""));
}

TEST(Password, AHashThatWouldTakeForEverIsNotTried) {
  EXPECT_FALSE(matches("x", bcrypt_of_cost("31")));
  EXPECT_FALSE(matches("x", argon("m=4000000,t=1000,p=1")));
}

}  // namespace
}  // namespace convoy::crypto
