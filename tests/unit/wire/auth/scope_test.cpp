#include "wire/auth/scope.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::auth {
namespace {

using test::code_of;

TEST(Scope, RunsFromTheFirstToTheLastColon) {
  const auto list = parse_scope("repository:host.example:5000/a/b:push,pull registry:catalog:*");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->at(0).name, "host.example:5000/a/b");
  EXPECT_EQ(list->at(0).actions, (std::set<std::string>{"pull", "push"}));
  EXPECT_EQ(list->at(0).str(), "repository:host.example:5000/a/b:pull,push");
  EXPECT_EQ(list->at(1).type, "registry");
}

TEST(Scope, NothingAskedIsAnEmptyList) {
  EXPECT_TRUE(parse_scope("")->empty());
  EXPECT_TRUE(parse_scope("  ")->empty());
}

TEST(Scope, AClassIsDropped) {
  EXPECT_EQ(parse_scope("repository(plugin):a:pull")->at(0).type, "repository");
  EXPECT_FALSE(parse_scope("(repository):a:pull"));
  EXPECT_FALSE(parse_scope("repository(plugin:a:pull"));
}

TEST(Scope, RefusesWhatDoesNotParse) {
  for (auto bad : {"repository", "repository:a", "repository::pull", "repository:a:", ":a:pull",
                   "repository:a:pull,", "repository:a:,pull", "repository:a:Pull", "user:a:pull",
                   "Repository:a:pull", "repository:a:pull;", "repository:\"a\":pull",
                   "repository:a\nb:pull", "repository:a:pull x", "repository:a\\b:pull"}) {
    EXPECT_EQ(code_of(parse_scope(bad)), "scope_invalid") << bad;
  }
}

TEST(Scope, HoldsSixtyFourScopesAndSixteenKibibytes) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += "repository:a:pull ";
  EXPECT_EQ(parse_scope(text)->size(), 64u);
  EXPECT_FALSE(parse_scope(text + "repository:a:pull"));
  EXPECT_TRUE(parse_scope(std::string(16 * 1024, ' ')));
  EXPECT_FALSE(parse_scope(std::string(16 * 1024 + 1, ' ')));
  EXPECT_TRUE(parse_scope("repository:" + std::string(512, 'a') + ":pull"));
  EXPECT_FALSE(parse_scope("repository:" + std::string(513, 'a') + ":pull"));
}

TEST(Allows, OnlyWhatTheListNames) {
  const std::vector<Access> list = {{"repository", "a", {"pull"}}, {"repository", "b", {"*"}}};
  EXPECT_TRUE(allows(list, "repository", "a", "pull"));
  EXPECT_FALSE(allows(list, "repository", "a", "push"));
  EXPECT_FALSE(allows(list, "registry", "a", "pull"));
  EXPECT_FALSE(allows(list, "repository", "ab", "pull"));
  EXPECT_TRUE(allows(list, "repository", "b", "delete"));
  EXPECT_FALSE(allows({}, "repository", "a", "pull"));
}

}  // namespace
}  // namespace convoy::auth
