#include "registry/core/retention.hpp"

#include <gtest/gtest.h>

#include "support/registry_store.hpp"

namespace convoy::registry {
namespace {

using std::chrono::hours;

constexpr UnixTime kNow{std::chrono::seconds(1'800'000'000)};

storage::TagRow row(const std::string& name, hours pushed, hours pulled = hours(-1)) {
  return {name, test::RegistryStore::digest(name), "", kNow - pushed,
          pulled < hours(0) ? UnixTime{} : kNow - pulled};
}

std::vector<std::string> kept(const std::vector<RetentionRule>& rules,
                              const std::vector<storage::TagRow>& tags, RetentionView view = {}) {
  view.repository = "team/app";
  view.now = kNow;
  std::vector<std::string> out;
  const auto decisions = decide_retention(rules, view, tags).value();
  for (const auto& decision : decisions) {
    EXPECT_FALSE(decision.reason.empty());
    if (decision.keep) out.push_back(decision.tag);
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(Retention, KeepsTheNewestOfWhatItsPatternMatches) {
  RetentionRule rule;
  rule.tags = {"ci-*"};
  rule.keep_newest = 2;
  const std::vector<storage::TagRow> tags = {row("ci-1", hours(4)), row("ci-2", hours(3)),
                                             row("ci-3", hours(2)), row("v1", hours(900))};
  EXPECT_EQ(kept({rule}, tags), (Names{"ci-2", "ci-3", "v1"}));
}

TEST(Retention, AgeIsKeptUpToTheLastSecond) {
  RetentionRule rule;
  rule.keep_pushed = hours(24);
  auto past = row("b", hours(24));
  past.pushed -= std::chrono::seconds(1);
  EXPECT_EQ(kept({rule}, {row("a", hours(24)), past}), Names{"a"});
}

TEST(Retention, PullKeepsAndNeverPulledDoesNot) {
  RetentionRule rule;
  rule.keep_pulled = hours(48);
  EXPECT_EQ(kept({rule}, {row("a", hours(900), hours(1)), row("b", hours(1)),
                          row("c", hours(900), hours(49))}),
            Names{"a"});
}

TEST(Retention, OneRuleThatKeepsIsEnough) {
  RetentionRule newest;
  newest.keep_newest = 1;
  RetentionRule pulled;
  pulled.tags = {"r*"};
  pulled.keep_pulled = hours(10);
  EXPECT_EQ(kept({newest, pulled},
                 {row("r1", hours(50), hours(1)), row("r2", hours(40)), row("x", hours(30))}),
            (Names{"r1", "x"}));
}

TEST(Retention, RulesOfOtherRepositoriesSayNothing) {
  RetentionRule rule;
  rule.repositories = {"team/lib", "other/**"};
  rule.keep_newest = 1;
  EXPECT_EQ(kept({rule}, {row("a", hours(1)), row("b", hours(2))}), (Names{"a", "b"}));
  EXPECT_EQ(kept({}, {row("a", hours(1))}), Names{"a"});
}

TEST(Retention, ImmutableTagStaysWhateverTheRulesSay) {
  RetentionRule rule;
  rule.keep_pushed = hours(1);
  RetentionView view;
  view.immutable = [](const std::string& tag) { return tag == "v1"; };
  EXPECT_EQ(kept({rule}, {row("v1", hours(99)), row("v2", hours(99))}, view), Names{"v1"});
}

TEST(Retention, SignatureStaysWithItsImageAndTakesNoPlaceOfAnother) {
  RetentionRule rule;
  rule.keep_newest = 1;
  const auto here = test::RegistryStore::digest("here");
  RetentionView view;
  view.has_manifest = [&](const oci::Digest& d) { return d == here; };
  const std::string of_here = "sha256-" + here.hex() + ".sig";
  const std::string of_gone = "sha256-" + test::RegistryStore::digest("gone").hex() + ".sig";
  EXPECT_EQ(
      kept({rule}, {row("v1", hours(9)), row(of_here, hours(1)), row(of_gone, hours(1))}, view),
      (Names{"v1", of_here}));
  EXPECT_FALSE(attached_to("sha256-abc"));
  EXPECT_FALSE(attached_to("sha256-" + here.hex() + "0"));
  EXPECT_TRUE(attached_to("sha256-" + here.hex()));
}

TEST(Retention, DecidesNothingWhenNobodyCanSayWhetherTheImageIsThere) {
  RetentionRule rule;
  rule.keep_newest = 1;
  RetentionView view;
  view.repository = "team/app";
  view.now = kNow;
  view.has_manifest = [](const oci::Digest&) { return internal_error("database_error"); };
  const std::string signature = "sha256-" + test::RegistryStore::digest("image").hex() + ".sig";
  const auto decided =
      decide_retention({rule}, view, {row("v1", hours(9)), row(signature, hours(9))});
  ASSERT_FALSE(decided.ok());
  EXPECT_EQ(decided.error().code(), "database_error");
}

}  // namespace
}  // namespace convoy::registry
