#include "security/identity/good_logins.hpp"

#include <gtest/gtest.h>

namespace convoy::security {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1h};

class GoodLoginsTest : public ::testing::Test {
 protected:
  SystemRandom random;
  GoodLogins logins{random};
  std::string bob = logins.key_of(Secret("bob-pw"));
};

TEST_F(GoodLoginsTest, AreKnownForAMinute) {
  EXPECT_FALSE(logins.knows(bob, kNow));
  logins.add(bob, kNow);
  EXPECT_TRUE(logins.knows(bob, kNow + 59s));
  EXPECT_FALSE(logins.knows(bob, kNow + 60s));
}

TEST_F(GoodLoginsTest, KeysSayNothingOfThePasswordAndDifferEverywhere) {
  EXPECT_EQ(bob.find("pw"), std::string::npos);
  EXPECT_NE(bob, logins.key_of(Secret("bob-pX")));
  EXPECT_NE(bob, GoodLogins(random).key_of(Secret("bob-pw")));
}

TEST_F(GoodLoginsTest, AreForgottenWhenPasswordsMayHaveChanged) {
  logins.add(bob, kNow);
  logins.clear();
  EXPECT_FALSE(logins.knows(bob, kNow));
}

TEST_F(GoodLoginsTest, AreBounded) {
  logins.add(bob, kNow);
  for (int i = 0; i < 1023; ++i) logins.add(std::to_string(i), kNow);
  EXPECT_TRUE(logins.knows(bob, kNow));
  logins.add("one more", kNow);
  EXPECT_FALSE(logins.knows(bob, kNow));
  EXPECT_TRUE(logins.knows("one more", kNow));
}

}  // namespace
}  // namespace convoy::security
