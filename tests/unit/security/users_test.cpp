#include "security/identity/users.hpp"

#include <chrono>
#include <ctime>
#include <gtest/gtest.h>

#include "crypto/password.hpp"

namespace convoy::security {
namespace {

using auth::Access;
using List = std::vector<Access>;

std::string hash_of(std::string_view password) {
  SystemRandom random;
  return crypto::hash_password(Secret(std::string(password)), random);
}

const std::string& some_hash() {
  static const std::string hash = hash_of("swordfish");
  return hash;
}

UserDirectory directory() {
  return UserDirectory::make({{"alice", some_hash()}, {"bob", some_hash()}},
                             {{"team/**", {"pull", "push"}, {"alice"}},
                              {"team/secret/*", {"*"}, {"bob"}},
                              {"base/*", {"pull"}, {"*"}},
                              {"public/**", {"pull"}, {"anonymous"}},
                              {"**", {"pull"}, {"bob"}}})
      .value();
}

Access repo(std::string name, std::set<std::string> actions) {
  return {"repository", std::move(name), std::move(actions)};
}

TEST(Glob, StarsStayInTheirSegments) {
  EXPECT_TRUE(matches_glob("a/b", "a/b"));
  EXPECT_FALSE(matches_glob("a/b", "a/bc"));
  EXPECT_FALSE(matches_glob("a/b", "xa/b"));
  EXPECT_TRUE(matches_glob("*", "a"));
  EXPECT_FALSE(matches_glob("*", "a/b"));
  EXPECT_TRUE(matches_glob("team/*", "team/app"));
  EXPECT_FALSE(matches_glob("team/*", "team/app/x"));
  EXPECT_FALSE(matches_glob("team/*", "teams/app"));
  EXPECT_FALSE(matches_glob("team/*", "team"));
  EXPECT_TRUE(matches_glob("team/app-*", "team/app-1"));
  EXPECT_FALSE(matches_glob("team/app-*", "team/app"));
  EXPECT_TRUE(matches_glob("*/app", "team/app"));
  EXPECT_TRUE(matches_glob("**", "a/b/c"));
  EXPECT_TRUE(matches_glob("team/**", "team/a/b/c"));
  EXPECT_FALSE(matches_glob("team/**", "team"));
  EXPECT_TRUE(matches_glob("**/app", "a/b/app"));
  EXPECT_FALSE(matches_glob("**/app", "a/b/apple"));
  EXPECT_TRUE(matches_glob("a*b*c", "axxbyyc"));
  EXPECT_FALSE(matches_glob("a*b*c", "ax/xbyyc"));
  EXPECT_FALSE(matches_glob("", "a"));
}

TEST(Glob, ManyStarsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches_glob(pattern + "b", std::string(200, 'a')));
}

TEST(Users, VerifiesPasswords) {
  const auto users = directory();
  EXPECT_TRUE(users.verify("alice", Secret("swordfish")));
  for (const auto& [user, password] : {std::pair{"alice", "wrong"},
                                       {"alice", ""},
                                       {"mallory", "swordfish"},
                                       {"", "swordfish"},
                                       {"Alice", "swordfish"},
                                       {"anonymous", ""},
                                       {"*", "swordfish"}}) {
    const auto refused = users.verify(user, Secret(password));
    ASSERT_FALSE(refused) << user;
    EXPECT_EQ(refused.error().text(), "credentials_invalid") << "uniform, and without detail";
    EXPECT_EQ(refused.error().kind(), ErrorClass::unauthorized);
  }
}

TEST(Users, NoUsersMeansNobody) {
  const auto none = UserDirectory::make({}, {}).value();
  EXPECT_FALSE(none.verify("alice", Secret("x")));
  EXPECT_FALSE(none.verify("", Secret("")));
  EXPECT_TRUE(none.granted("alice", {repo("a/b", {"pull"})}).empty());
}

/// Of this thread: what other load the machine has does not count.
std::chrono::nanoseconds cpu_time() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

TEST(Users, AnUnknownUserCostsAHash) {
  const auto none = UserDirectory::make({}, {}).value();
  const auto with = directory();
  const auto cost = [](const UserDirectory& users, const char* name) {
    const auto begin = cpu_time();
    EXPECT_FALSE(users.verify(name, Secret("wrong")));
    return cpu_time() - begin;
  };
  const auto known = cost(with, "alice");
  EXPECT_GT(cost(with, "mallory"), known / 5);
  EXPECT_GT(cost(none, "mallory"), known / 5);
}

TEST(Users, GrantsTheIntersection) {
  const auto users = directory();
  EXPECT_EQ(users.granted("alice", {repo("team/app", {"pull", "push", "delete"})}),
            (List{repo("team/app", {"pull", "push"})}));
  EXPECT_EQ(users.granted("alice", {repo("team/app", {"pull"})}),
            (List{repo("team/app", {"pull"})}));
  EXPECT_EQ(users.granted("alice", {repo("team/app", {"delete"})}), List{});
  EXPECT_EQ(users.granted("alice", {repo("other/app", {"pull"})}), List{});
  EXPECT_EQ(users.granted("alice", {repo("base/go", {"pull", "push"}), repo("x/y", {"pull"})}),
            (List{repo("base/go", {"pull"})}));
  EXPECT_EQ(users.granted("bob", {repo("team/secret/app", {"*"})}),
            (List{repo("team/secret/app", {"delete", "pull", "push"})}));
  EXPECT_EQ(users.granted("alice", {repo("team/app", {"*"})}),
            (List{repo("team/app", {"pull", "push"})}));
}

TEST(Users, AnonymousGetsOnlyWhatIsForEverybody) {
  const auto users = directory();
  const List wanted = {repo("public/app", {"pull", "push"}), repo("base/go", {"pull"}),
                       repo("team/app", {"pull"})};
  EXPECT_EQ(users.granted(std::nullopt, wanted), (List{repo("public/app", {"pull"})}));
  EXPECT_EQ(users.granted("anonymous", wanted), (List{repo("public/app", {"pull"})}))
      << "nobody can be called that";
  EXPECT_EQ(users.granted("alice", wanted).size(), 3u);
}

// CVE-2025-23208: somebody taken out of the directory kept the rights of their old name.
TEST(Users, ANameThatIsGoneHasNoGrants) {
  const auto users = UserDirectory::make({{"bob", some_hash()}}, {{"team/**", {"pull"}, {"alice"}},
                                                                  {"base/*", {"pull"}, {"*"}}})
                         .value();
  EXPECT_EQ(users.granted("alice", {repo("team/app", {"pull"}), repo("base/go", {"pull"})}),
            List{});
}

TEST(Users, OnlyRealRepositoryNamesMatch) {
  const auto users = directory();
  for (const char* name :
       {"../etc", "team//app", "Team/app", "", "team/app/", "host:5000/team/app"}) {
    EXPECT_EQ(users.granted("bob", {repo(name, {"pull"})}), List{}) << name;
  }
  EXPECT_EQ(users.granted("bob", {{"admin", "team/app", {"pull"}}}), List{});
}

TEST(Users, TheCatalogIsForThoseWhoMayPullEverything) {
  const auto users = directory();
  const List catalog = {{"registry", "catalog", {"*"}}};
  EXPECT_EQ(users.granted("bob", catalog), catalog);
  EXPECT_EQ(users.granted("alice", catalog), List{});
  EXPECT_EQ(users.granted(std::nullopt, catalog), List{});
  EXPECT_EQ(users.granted("bob", {{"registry", "everything", {"*"}}}), List{});
}

TEST(Users, RefusesEntriesThatAreNone) {
  const auto user = [](std::string name, std::string hash) {
    const auto made = UserDirectory::make({{std::move(name), std::move(hash)}}, {});
    return made ? std::string() : made.error().code();
  };
  EXPECT_EQ(user("a", some_hash()), "");
  EXPECT_EQ(user(std::string(64, 'a'), some_hash()), "");
  EXPECT_EQ(user(std::string(65, 'a'), some_hash()), "user_invalid");
  EXPECT_EQ(user("", some_hash()), "user_invalid");
  EXPECT_EQ(user("anonymous", some_hash()), "user_invalid");
  EXPECT_EQ(user("a b", some_hash()), "user_invalid");
  EXPECT_EQ(user("*", some_hash()), "user_invalid");
  EXPECT_EQ(user("a", "plain text"), "user_hash_refused");
  EXPECT_EQ(user("a", ""), "user_hash_refused");
  EXPECT_EQ(UserDirectory::make({{"a", some_hash()}, {"a", some_hash()}}, {}).error().code(),
            "user_invalid");
  const auto grant = [](UserGrant g) {
    const auto made = UserDirectory::make({}, {std::move(g)});
    return made ? std::string() : made.error().code();
  };
  EXPECT_EQ(grant({"a/*", {"pull"}, {"alice"}}), "");
  EXPECT_EQ(grant({"", {"pull"}, {"alice"}}), "grant_invalid");
  EXPECT_EQ(grant({"a/***", {"pull"}, {"alice"}}), "grant_invalid");
  EXPECT_EQ(grant({"A", {"pull"}, {"alice"}}), "grant_invalid");
  EXPECT_EQ(grant({"a", {}, {"alice"}}), "grant_invalid");
  EXPECT_EQ(grant({"a", {"pull"}, {}}), "grant_invalid");
  EXPECT_EQ(grant({"a", {"admin"}, {"alice"}}), "grant_invalid");
  EXPECT_EQ(grant({"a", {"pull"}, {"a b"}}), "grant_invalid");
}

}  // namespace
}  // namespace convoy::security
