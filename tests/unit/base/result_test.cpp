#include "base/result.hpp"

#include <gtest/gtest.h>
#include <memory>

namespace convoy {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return invalid("odd", std::to_string(n));
  return n / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(*half(4), 2);
  const auto refused = half(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorClass::invalid);
  EXPECT_EQ(refused.error().text(), "odd: 3");
  EXPECT_EQ(refused.value_or(7), 7);
}

TEST(Result, MovesOutOfItself) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const auto owned = *std::move(result);
  EXPECT_EQ(*owned, 5);
}

TEST(Result, ConvertsWhatTheValueConvertsFrom) {
  const Result<std::string> text = "plain";
  EXPECT_EQ(*text, "plain");
}

TEST(Result, StatusIsSuccessByDefault) {
  EXPECT_TRUE(Status().ok());
  const Status bad = denied("no");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), "no");
}

TEST(Error, GathersContextBeforeItsDetail) {
  EXPECT_EQ(not_found("gone").with("blob").text(), "gone: blob");
  EXPECT_EQ(not_found("gone", "x").with("blob").text(), "gone: blob: x");
}

TEST(Error, EveryClassHasAName) {
  for (int i = 0; i <= static_cast<int>(ErrorClass::internal); ++i) {
    EXPECT_FALSE(to_string(static_cast<ErrorClass>(i)).empty());
  }
  EXPECT_EQ(to_string(ErrorClass::too_large), "too_large");
}

TEST(ResultDeathTest, ReadingTheWrongSideEndsTheProcess) {
  const auto refused = half(1);
  EXPECT_DEATH((void)refused.value(), "");
  const auto good = half(2);
  EXPECT_DEATH((void)good.error(), "");
  EXPECT_DEATH((void)Status().error(), "");
}

}  // namespace
}  // namespace convoy
