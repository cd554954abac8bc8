#include "storage/blob/page_budget.hpp"

#include <gmock/gmock.h>

namespace convoy::storage {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Part = PageBudget::Part;

constexpr std::uint64_t kPart = PageBudget::kPart;
constexpr std::uint64_t kBig = 1000 * kPart;

oci::Digest blob(std::uint8_t seed = 1) {
  Hash256 hash{};
  hash.fill(seed);
  return oci::Digest::sha256(hash);
}

Part part(std::uint64_t index, std::uint8_t seed = 1) { return {blob(seed), index * kPart}; }

TEST(PageBudgetTest, WhatGetsOldIsWrittenAndSomeOfItLeaves) {
  PageBudget budget(4 * kPart);
  EXPECT_THAT(budget.came(blob(), kBig, 0, 2 * kPart).write_back, IsEmpty());
  auto due = budget.came(blob(), kBig, 2 * kPart, 2 * kPart);
  EXPECT_THAT(due.write_back, ElementsAre(part(0), part(1)));
  EXPECT_THAT(due.give_up, IsEmpty());

  due = budget.came(blob(), kBig, 4 * kPart, 1);
  EXPECT_THAT(due.write_back, ElementsAre(part(2)));
  EXPECT_THAT(due.give_up, ElementsAre(AnyOf(part(0), part(1), part(2))));

  due = budget.came(blob(), kBig, 4 * kPart, kPart);
  EXPECT_THAT(due.write_back, IsEmpty());
  EXPECT_THAT(due.give_up, IsEmpty());
}

TEST(PageBudgetTest, APartThatIsThereCountsOnceAndOneThatLeftComesAnew) {
  PageBudget budget(4 * kPart);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(budget.came(blob(), kBig, 100, kPart).write_back, IsEmpty());
  }
  const auto left = budget.came(blob(), kBig, 2 * kPart, 3 * kPart).give_up;
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_FALSE(budget.holds(blob(), left[0].offset, 1));
  EXPECT_THAT(budget.came(blob(), kBig, left[0].offset, 1).give_up, SizeIs(1));
  EXPECT_TRUE(budget.holds(blob(), left[0].offset, 1));
}

TEST(PageBudgetTest, BlobsShareIt) {
  PageBudget budget(4 * kPart);
  budget.came(blob(1), kBig, 0, 2 * kPart);
  const auto left = budget.came(blob(2), kBig, 0, 3 * kPart).give_up;
  EXPECT_THAT(left, ElementsAre(AnyOf(part(0, 1), part(1, 1), part(0, 2))));
}

TEST(PageBudgetTest, ABlobALittleLargerThanItIsMostlyThereWhenItIsReadAgain) {
  constexpr std::uint64_t kParts = 256;
  PageBudget budget(kParts * kPart);
  budget.came(blob(), kBig, 0, (kParts + 1) * kPart);
  std::uint64_t missing = 0;
  for (std::uint64_t i = 0; i <= kParts; ++i) {
    if (!budget.holds(blob(), i * kPart, kPart)) ++missing;
    budget.came(blob(), kBig, i * kPart, kPart);
  }
  EXPECT_GE(missing, 1U);
  EXPECT_LE(missing, 30U) << "those that came first leaving first, it would be all";
}

TEST(PageBudgetTest, ASmallBlobCountsWhatItHoldsButNeverNothing) {
  PageBudget budget(4 * kPart);
  const std::uint64_t fit = 4 * kPart / PageBudget::kLeast;
  for (std::uint64_t i = 0; i < fit; ++i) {
    Hash256 hash{};
    hash[0] = static_cast<std::uint8_t>(i);
    hash[1] = static_cast<std::uint8_t>(i >> 8);
    EXPECT_THAT(budget.came(oci::Digest::sha256(hash), 1, 0, 1).give_up, IsEmpty());
  }
  const auto due = budget.came(blob(), 2 * PageBudget::kLeast, 0, 1);
  EXPECT_THAT(due.give_up, SizeIs(2)) << "it holds as much as two of the least";
}

TEST(PageBudgetTest, ItHoldsARangeWhenItHoldsEachPartOfIt) {
  PageBudget budget(4 * kPart);
  budget.came(blob(), kBig, kPart, 2 * kPart);
  EXPECT_TRUE(budget.holds(blob(), kPart, 2 * kPart));
  EXPECT_FALSE(budget.holds(blob(), kPart - 1, 2));
  EXPECT_FALSE(budget.holds(blob(), 3 * kPart - 1, 2));
  EXPECT_FALSE(budget.holds(blob(2), kPart, 1));
}

TEST(PageBudgetTest, PartsThatLeftOrNeverCameAreAbsent) {
  PageBudget budget(4 * kPart);
  EXPECT_THAT(budget.absent(blob(), kPart + 1), ElementsAre(part(0), part(1)));
  budget.came(blob(), kPart + 1, 0, kPart + 1);
  EXPECT_THAT(budget.absent(blob(), kPart + 1), IsEmpty());
  budget.came(blob(2), kBig, 0, 100 * kPart);
  EXPECT_THAT(budget.absent(blob(), kPart + 1), SizeIs(2));
}

}  // namespace
}  // namespace convoy::storage
