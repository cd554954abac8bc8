#include "base/log.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/text_log.hpp"

namespace convoy {
namespace {

class FixedClock final : public Clock {
 public:
  UnixTime wall() const override { return UnixTime(std::chrono::seconds(1'767'323'045)); }
  SteadyTime steady() const override { return {}; }
};

struct LogTest : testing::Test {
  FixedClock clock;
  std::shared_ptr<test::TextLog> sink = std::make_shared<test::TextLog>();
  Logger log{sink, clock, "test"};
};

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST_F(LogTest, WritesOneJsonObjectForEachLine) {
  log.with({{"rid", "r1"}}).module("other").info("hello", {{"n", 3}, {"ok", true}, {"x", 0.5}});
  EXPECT_EQ(sink->text(),
            R"({"time":"2026-01-02T03:04:05Z","level":"info","module":"other","msg":"hello",)"
            R"("rid":"r1","n":3,"ok":true,"x":0.5})"
            "\n");
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  log.debug("quiet");
  EXPECT_EQ(sink->text(), "");
  EXPECT_TRUE(log.enabled(LogLevel::warn));
  Logger::none().error("nowhere");
}

TEST_F(LogTest, ASecretIsNeverPrinted) {
  log.info("login", {{"password", Secret("hunter2")}});
  EXPECT_EQ(sink->text().find("hunter2"), std::string::npos);
  EXPECT_NE(sink->text().find(R"("password":"***")"), std::string::npos);
}

TEST_F(LogTest, ALineCannotBeForged) {
  log.info("x\n{\"level\":\"error\"}", {{"peer", "a\",\"admin\":\"yes"}});
  const std::string text = sink->text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find(R"("admin":"yes")"), std::string::npos);
}

TEST(JsonString, EscapesControlsAndInvalidUtf8) {
  EXPECT_EQ(quoted("a\"\\\x01\x7f"), R"("a\"\\\u0001\u007f")");
  EXPECT_EQ(quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(quoted("\xc3"), R"("\ufffd")");                      // cut off
  EXPECT_EQ(quoted("\xc0\xaf"), R"("\ufffd\ufffd")");            // overlong
  EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // surrogate
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(Secret, PrintsAsStarsAndComparesByContent) {
  const Secret secret("s3cret");
  EXPECT_EQ(format_as(secret), "***");
  EXPECT_TRUE(secret.equals("s3cret"));
  EXPECT_FALSE(secret.equals("s3creT"));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Secret, IsEmptyAfterItWasMovedFrom) {
  Secret from("short");
  const Secret to(std::move(from));
  EXPECT_EQ(to.reveal(), "short");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace convoy
