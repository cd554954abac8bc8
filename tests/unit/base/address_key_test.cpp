#include "base/address_key.hpp"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(AddressKey, a_client_is_an_ipv4_address_or_a_64_of_ipv6) {
  EXPECT_EQ(address_key("10.0.0.1"), address_key("::ffff:10.0.0.1"));
  EXPECT_NE(address_key("10.0.0.1"), address_key("10.0.0.2"));
  EXPECT_EQ(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:2:ffff::9"));
  EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
  EXPECT_EQ(address_key("nonsense"), "nonsense");
}

}  // namespace
}  // namespace convoy
