#include "wire/bt/zone.hpp"

#include <gtest/gtest.h>

namespace convoy::bt {
namespace {

TEST(Zone, TakesLabelsUpToSixtyThreeCharactersAndNoOthers) {
  for (const std::string good : {"a", "Rack-7.b_2", "eu-west-1a"}) {
    const auto zone = Zone::parse(good);
    ASSERT_TRUE(zone.ok()) << good;
    EXPECT_EQ(zone->str(), good);
    EXPECT_FALSE(zone->common());
  }
  EXPECT_TRUE(Zone::parse(std::string(63, 'z')).ok());
  for (const std::string& bad :
       {std::string(64, 'z'), std::string("a b"), std::string("a/b"), std::string("\xc3\xa4"),
        std::string("a\0b", 3), std::string("a\n")}) {
    const auto zone = Zone::parse(bad);
    ASSERT_FALSE(zone.ok()) << bad;
    EXPECT_EQ(zone.error().code(), "zone_invalid");
  }
}

TEST(Zone, TheEmptyOneIsTheCommonZone) {
  const auto zone = Zone::parse("");
  ASSERT_TRUE(zone.ok());
  EXPECT_TRUE(zone->common());
  EXPECT_EQ(*zone, Zone());
}

}  // namespace
}  // namespace convoy::bt
