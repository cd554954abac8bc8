#include "config/quantity.hpp"

#include <gtest/gtest.h>

namespace convoy::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsWhatItPrints) {
  for (const char* text : {"250ms", "10s", "90s", "5m", "24h", "7d", "1ms", "3650d"}) {
    const auto value = parse_duration(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(parse_duration(print_duration(*value)), value) << text;
  }
  EXPECT_EQ(parse_duration("1h"), std::chrono::milliseconds(1h));
  EXPECT_EQ(print_duration(90s), "90s");
  EXPECT_EQ(print_duration(0s), "0s");
}

TEST(Duration, RefusesWhatIsNotANumberWithAUnit) {
  for (const char* text : {"", "10", "s", "10 s", "-1s", "+1s", "1.5s", "1h30m", "10S", "10sec",
                           "0x1s", "3651d", "99999999999999999999s", "1s ", "1\xc3\xbcs"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Size, KnowsPowersOfTenAndOfTwo) {
  EXPECT_EQ(parse_size("4MiB"), 4ULL << 20);
  EXPECT_EQ(parse_size("4MB"), 4'000'000ULL);
  EXPECT_EQ(parse_size("0B"), 0ULL);
  EXPECT_EQ(print_size(4ULL << 20), "4MiB");
  EXPECT_EQ(print_size(0), "0B");
  EXPECT_EQ(print_size(1001), "1001B");
  for (const char* text : {"", "4", "MiB", "4 MiB", "4mib", "-4MiB", "4.5MiB", "4MiB/s"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Size, EndsAtTwoToTheSixtyTwo) {
  EXPECT_EQ(parse_size("4194304TiB"), 1ULL << 62);
  EXPECT_FALSE(parse_size("4194305TiB"));
  EXPECT_FALSE(parse_size("999999999999999999TiB"));
}

TEST(Rate, IsBytesOrBitsASecondOrUnlimited) {
  EXPECT_EQ(parse_rate("50MB/s"), 50'000'000ULL);
  EXPECT_EQ(parse_rate("400Mbit/s"), 50'000'000ULL);
  EXPECT_EQ(parse_rate("unlimited"), 0ULL);
  EXPECT_EQ(print_rate(50'000'000), "50MB/s");
  EXPECT_EQ(print_rate(0), "unlimited");
  // Nought would be taken for "nothing may pass" by some and "no limit" by others.
  for (const char* text : {"0B/s", "0Mbit/s", "50MB", "50MBps", "50", "50Mbit", "/s", ""}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
}

}  // namespace
}  // namespace convoy::config
