#include "wire/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::wire {
namespace {

using test::code_of;

TEST(Json, ReadsWhatItShould) {
  const std::string text = R"({"a":[1,-2,18446744073709551615,1.5,true,null,"x\u00e4"],"b":{}})";
  const auto value = parse_json(text);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(boost::json::serialize(*value),
            "{\"a\":[1,-2,18446744073709551615,1.5E0,true,null,\"x\xc3\xa4\"],\"b\":{}}");
  EXPECT_TRUE(parse_json(" \n1 "));
}

TEST(Json, RefusesDuplicateKeysAtAnyDepth) {
  for (auto bad :
       {R"({"a":1,"a":2})", R"({"a":1,"\u0061":1})", R"([{"x":{"a":1,"b":2,"a":3}}])",
        R"({"a":{"b":1,"b":2},"a":{}})", R"({"a":{"x":1},"a":{"x":1,"y":2}})", R"({"":1,"":1})"}) {
    EXPECT_EQ(code_of(parse_json(bad)), "json_invalid") << bad;
  }
  EXPECT_TRUE(parse_json(R"([{"a":1},{"a":1}])"));
}

TEST(Json, RefusesInfinitiesAndNul) {
  for (auto bad :
       {"1e999", "-1e999", "[1e400]", R"("\u0000")", R"({"a\u0000b":1})", R"(["x\u0000y"])"}) {
    EXPECT_EQ(code_of(parse_json(bad)), "json_invalid") << bad;
  }
  EXPECT_TRUE(parse_json("1e-999"));
}

TEST(Json, RefusesWhatIsNoJson) {
  for (auto bad : {"",
                   " ",
                   "{",
                   "{}}",
                   "{} x",
                   "[1,]",
                   "{\"a\":1,}",
                   "01",
                   "NaN",
                   "Infinity",
                   "'a'",
                   "\xef\xbb\xbf{}",
                   "\"\xff\"",
                   "\"\xed\xa0\x80\"",
                   R"("\ud800")",
                   "// c\n1",
                   "1 2",
                   "\"a\nb\"",
                   "+1",
                   "tru"}) {
    EXPECT_EQ(code_of(parse_json(bad)), "json_invalid") << bad;
  }
  EXPECT_FALSE(parse_json(std::string_view("{}\0", 3)));
}

TEST(Json, LimitsDepthAndSize) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_TRUE(parse_json(nested(32)));
  EXPECT_FALSE(parse_json(nested(33)));
  EXPECT_TRUE(parse_json("[1]", {.max_bytes = 3}));
  EXPECT_FALSE(parse_json("[12]", {.max_bytes = 3}));
}

TEST(Json, AnObjectIsDemandedWhereOneIsMeant) {
  EXPECT_TRUE(parse_json_object("{}"));
  EXPECT_EQ(code_of(parse_json_object("[]")), "json_invalid");
}

TEST(Json, MembersComeByTypeOrNotAtAll) {
  const auto o =
      *parse_json_object(R"({"s":"x","i":-5,"big":9223372036854775808,"d":1.0,"b":true,"n":null})");
  EXPECT_EQ(json_string(o, "s"), "x");
  EXPECT_EQ(json_int(o, "i"), -5);
  EXPECT_EQ(json_bool(o, "b"), true);
  for (auto key : {"big", "d", "s", "n", "b", "missing"}) EXPECT_FALSE(json_int(o, key)) << key;
  for (auto key : {"i", "n", "b", "missing"}) EXPECT_FALSE(json_string(o, key)) << key;
  for (auto key : {"i", "n", "s", "missing"}) EXPECT_FALSE(json_bool(o, key)) << key;
  const boost::json::object built = {{"u", std::uint64_t{7}}};
  EXPECT_EQ(json_int(built, "u"), 7);
}

}  // namespace
}  // namespace convoy::wire
