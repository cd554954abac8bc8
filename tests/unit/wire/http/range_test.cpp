#include "wire/http/range.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::http {
namespace {

using test::code_of;

/// "offset+length", "ignored" or the code of the refusal.
std::string range(std::string_view header, std::uint64_t size) {
  const auto parsed = parse_range(header, size);
  if (!parsed) return parsed.error().code();
  if (!parsed->has_value()) return "ignored";
  return std::to_string((*parsed)->offset) + "+" + std::to_string((*parsed)->length);
}

TEST(Range, GivesTheBytesAskedFor) {
  EXPECT_EQ(range("bytes=0-0", 10), "0+1");
  EXPECT_EQ(range("bytes=2-5", 10), "2+4");
  EXPECT_EQ(range("bytes=9-9", 10), "9+1");
  EXPECT_EQ(range("bytes=5-", 10), "5+5");
  EXPECT_EQ(range("bytes=-3", 10), "7+3");
  EXPECT_EQ(range("Bytes= 1-2 ", 10), "1+2");
}

TEST(Range, IsClippedToTheEnd) {
  EXPECT_EQ(range("bytes=5-10", 10), "5+5");
  EXPECT_EQ(range("bytes=-11", 10), "0+10");
  EXPECT_EQ(range("bytes=0-18446744073709551615", 10), "0+10");
  EXPECT_EQ(range("bytes=0-99999999999999999999999", 10), "0+10");
  EXPECT_EQ(range("bytes=-99999999999999999999999", 10), "0+10");
}

TEST(Range, OutsideOrBackwardsIsUnsatisfiable) {
  for (auto header :
       {"bytes=10-", "bytes=10-20", "bytes=5-0", "bytes=-0", "bytes=99999999999999999999999-"}) {
    EXPECT_EQ(range(header, 10), "range_unsatisfiable") << header;
  }
  EXPECT_EQ(range("bytes=0-", 0), "range_unsatisfiable");
}

TEST(Range, WhatIsNotOneByteRangeIsIgnored) {
  for (auto header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "items=0-1",
                      "bytes=0-1,3-4", "bytes=0-1,", "bytes 0-1", "bytes=+1-2", "bytes=0--1",
                      "bytes=1-2-3", "bytes=0x1-2", "bytes=1 -2"}) {
    EXPECT_EQ(range(header, 10), "ignored") << header;
  }
  EXPECT_EQ(range("bytes=-5", 0), "ignored");
}

TEST(Range, WorksAtTheTopOfTheNumbers) {
  EXPECT_EQ(range("bytes=0-", UINT64_MAX), "0+18446744073709551615");
  EXPECT_EQ(range("bytes=18446744073709551614-", UINT64_MAX), "18446744073709551614+1");
}

TEST(ContentRange, RoundTrips) {
  EXPECT_EQ(content_range({0, 10}, 100), "bytes 0-9/100");
  const auto parsed = parse_content_range("bytes 90-99/100");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->range, (ByteRange{90, 10}));
  EXPECT_EQ(parsed->size, 100u);
}

TEST(ContentRange, RefusesWhatDoesNotAddUp) {
  for (auto bad :
       {"", "bytes", "bytes ", "bytes 0-9", "bytes 0-9/*", "bytes */100", "bytes 9-0/100",
        "bytes 0-100/100", "bytes 0-9/", "bytes=0-9/100", "0-9/100", "bytes  0-9/100",
        "bytes 0-9/100 ", "bytes -9/100", "bytes 0-9/18446744073709551616",
        "bytes 0-18446744073709551615/18446744073709551615"}) {
    EXPECT_EQ(code_of(parse_content_range(bad)), "content_range_invalid") << bad;
  }
}

TEST(UploadRange, TakesBothForms) {
  EXPECT_EQ(*parse_upload_range("0-9"), (ByteRange{0, 10}));
  EXPECT_EQ(*parse_upload_range("bytes=10-19"), (ByteRange{10, 10}));
  EXPECT_EQ(*parse_upload_range("5-5"), (ByteRange{5, 1}));
  for (auto bad : {"", "-", "1-", "-1", "2-1", "0-9/10", "a-b", "0 - 9", "bytes=", "bytes",
                   "0-18446744073709551615", "0-18446744073709551616", "0-1-2"}) {
    EXPECT_EQ(code_of(parse_upload_range(bad)), "content_range_invalid") << bad;
  }
}

}  // namespace
}  // namespace convoy::http
