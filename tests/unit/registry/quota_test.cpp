#include "registry/core/quota.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "support/registry_store.hpp"
#include "support/registry_world.hpp"

namespace convoy::registry {
namespace {

using test::RegistryStore;
using test::RegistryWorld;

TEST(Projects, LongestNameThatCoversARepositoryCounts) {
  const ProjectBook book({{"*", 1, {}, {}}, {"team", 2, {"v*"}, {}}, {"team/app", 3, {}, {}}});
  EXPECT_EQ(book.find("team/app/web").project->quota_bytes, 3u);
  EXPECT_EQ(book.find("team/apple").prefix, "team");
  EXPECT_EQ(book.find("team").prefix, "team");
  EXPECT_EQ(book.find("teamwork/x").prefix, "teamwork");
  EXPECT_EQ(book.find("teamwork/x").project->quota_bytes, 1u);
  EXPECT_TRUE(book.immutable("team/x", "v1"));
  EXPECT_FALSE(book.immutable("team/app", "v1"));
  EXPECT_EQ(ProjectBook({}).find("a").project, nullptr);
}

TEST(Quota, HoldsToTheByteAndGivesBackWhatWasNotUsed) {
  RegistryStore store;
  const ProjectBook book({{"team", 100, {}, {}}});
  QuotaService quota(store.meta->upkeep(), book);
  const auto team = RegistryStore::repo("team/a");
  ASSERT_TRUE(store.meta->link_blob(team, RegistryStore::digest("x"), 60).ok());
  {
    auto hold = quota.reserve(team, 40);
    ASSERT_TRUE(hold.ok());
    auto past = quota.reserve(RegistryStore::repo("team/b"), 1);
    ASSERT_FALSE(past.ok());
    EXPECT_EQ(past.error().code(), "quota_exceeded");
    EXPECT_EQ(past.error().kind(), ErrorClass::denied);
    hold->shrink(10);
    EXPECT_TRUE(quota.reserve(team, 30).ok());
    EXPECT_FALSE(quota.reserve(team, 31).ok());
    // What is asked for ahead is not insisted on.
    EXPECT_TRUE(hold->grow(15, 1000).ok());
    EXPECT_EQ(hold->bytes(), 15u);
  }
  EXPECT_EQ(quota.reserved("team"), 0u);
  EXPECT_FALSE(quota.reserve(team, ~std::uint64_t{0}).ok());
  EXPECT_TRUE(quota.reserve(RegistryStore::repo("free"), ~std::uint64_t{0}).ok());
}

TEST(Quota, RepositoryCountsOnlyInTheProjectThatFindNames) {
  RegistryStore store;
  const ProjectBook book({{"*", 10, {}, {}},
                          {"team", 10, {}, {}},
                          {"team/app", 1000, {}, {}},
                          {"team/app/web", 100, {}, {}},
                          {"free/big", 0, {}, {}}});
  QuotaService quota(store.meta->upkeep(), book);
  const auto left = [&](std::string_view name, std::uint64_t bytes) {
    return quota.reserve(RegistryStore::repo(name), bytes).ok() &&
           !quota.reserve(RegistryStore::repo(name), bytes + 1).ok();
  };
  const auto link = [&](std::string_view name, std::uint64_t bytes) {
    return store.meta->link_blob(RegistryStore::repo(name), RegistryStore::digest("x"), bytes).ok();
  };
  ASSERT_TRUE(link("team/lib", 1) && link("team/apple", 2) && link("team", 3));
  ASSERT_TRUE(link("team/app", 400) && link("team/app/x", 50) && link("team/app/web/y", 60));
  ASSERT_TRUE(link("free/big/x", 5000) && link("free/small", 4));
  EXPECT_TRUE(left("team/lib", 4));
  EXPECT_TRUE(left("team/app/x", 550));
  EXPECT_TRUE(left("team/app/web", 40));
  EXPECT_TRUE(left("free/small", 6));
}

TEST(Quota, ManyAtOnceNeverPassTheLimitTogether) {
  RegistryStore store;
  const ProjectBook book({{"team", 50, {}, {}}});
  QuotaService quota(store.meta->upkeep(), book);
  std::atomic<int> stored = 0;
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto name = RegistryStore::repo("team/r" + std::to_string(t));
        auto hold = quota.reserve(name, 1);
        if (!hold) continue;
        const auto blob = RegistryStore::digest(std::to_string(t) + "-" + std::to_string(i));
        if (store.meta->link_blob(name, blob, 1).ok()) ++stored;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(stored, 50);
  EXPECT_EQ(store.meta->upkeep().bytes_below("team").value(), 50u);
}

class QuotaOverHttp : public ::testing::Test {
 protected:
  RegistryWorld world{
      [](RegistryOptions& options) { options.projects = {{"team", 1000, {"v*"}, {}}}; }};
  test::Answer push(const std::string& repository, const std::string& bytes, bool chunked) {
    const std::string token = world.all(repository);
    const auto begun = world.send({.method = "POST",
                                   .target = "/v2/" + repository + "/blobs/uploads/",
                                   .body = {},
                                   .headers = {},
                                   .token = token});
    return world.send({.method = "PUT",
                       .target = begun.header("Location") + "?digest=" + test::digest_of(bytes),
                       .body = bytes,
                       .headers = {},
                       .token = token,
                       .chunked = chunked});
  }
};

TEST_F(QuotaOverHttp, RefusesWhatDoesNotFitAndTakesWhatDoes) {
  EXPECT_EQ(push("team/app", test::sample_text(600), false).status, 201);
  for (const bool chunked : {false, true}) {
    const auto refused = push("team/lib", test::sample_text(401, 2), chunked);
    EXPECT_EQ(refused.status, 403) << chunked;
    EXPECT_NE(refused.body.find("\"DENIED\""), std::string::npos) << refused.body;
    EXPECT_NE(refused.body.find("project team may hold 1000 bytes"), std::string::npos);
  }
  EXPECT_EQ(push("team/lib", test::sample_text(400, 3), true).status, 201);
  // Nothing is left, neither for a manifest nor for a mount that would count anew.
  const auto manifest =
      world.put_manifest("team/app", "latest", R"({"schemaVersion":2,"layers":[]})");
  EXPECT_NE(manifest.status, 201);
  const auto mount = world.send({.method = "POST",
                                 .target = "/v2/team/two/blobs/uploads/?from=team/lib&mount=" +
                                           test::digest_of(test::sample_text(400, 3)),
                                 .body = {},
                                 .headers = {},
                                 .token = world.token("ann",
                                                      "repository:team/two:* repository:"
                                                      "team/lib:pull")});
  EXPECT_EQ(mount.status, 403);
  EXPECT_EQ(push("public/app", test::sample_text(5000), false).status, 201);
}

TEST_F(QuotaOverHttp, FullProjectStillMovesTagsBetweenManifestsItHolds) {
  const auto blob = world.push_blob("team/app", "{}");
  const auto first = RegistryWorld::image(blob, blob);
  const auto second = RegistryWorld::image(blob, blob, ",\"x\":1");
  ASSERT_EQ(world.put_manifest("team/app", "latest", first).status, 201);
  ASSERT_EQ(world.put_manifest("team/app", "latest", second).status, 201);
  const auto rest = 1000 - 2 - first.size() - second.size();
  ASSERT_EQ(push("team/app", test::sample_text(rest), false).status, 201);
  const auto moved = world.put_manifest("team/app", "latest", first);
  EXPECT_EQ(moved.status, 201) << moved.body;
  const auto third = world.put_manifest("team/app", "latest", "{\"x\":2," + first.substr(1));
  EXPECT_EQ(third.status, 403) << third.body;
  // Another repository of the project would count it anew.
  EXPECT_EQ(world.put_manifest("team/lib", "latest", first).status, 403);
}

TEST_F(QuotaOverHttp, CancelledUploadGivesItsShareBack) {
  const std::string token = world.all("team/app");
  const auto begun = world.send({.method = "POST",
                                 .target = "/v2/team/app/blobs/uploads/",
                                 .body = {},
                                 .headers = {},
                                 .token = token});
  const auto part = world.send({.method = "PATCH",
                                .target = begun.header("Location"),
                                .body = test::sample_text(900),
                                .headers = {},
                                .token = token});
  ASSERT_EQ(part.status, 202) << part.body;
  EXPECT_EQ(push("team/lib", test::sample_text(200), false).status, 403);
  EXPECT_EQ(world
                .send({.method = "DELETE",
                       .target = begun.header("Location"),
                       .body = {},
                       .headers = {},
                       .token = token})
                .status,
            204);
  EXPECT_EQ(push("team/lib", test::sample_text(200), false).status, 201);
}

TEST_F(QuotaOverHttp, ImmutableTagIsRefusedAsDenied) {
  world.push_image("team/app", "v1");
  const auto config = world.push_blob("team/app", "{}");
  const auto moved =
      world.put_manifest("team/app", "v1", RegistryWorld::image(config, config, ",\"x\":1"));
  EXPECT_EQ(moved.status, 403) << moved.body;
  const auto deleted = world.send({.method = "DELETE",
                                   .target = "/v2/team/app/manifests/v1",
                                   .body = {},
                                   .headers = {},
                                   .token = world.all("team/app")});
  EXPECT_EQ(deleted.status, 403);
}

}  // namespace
}  // namespace convoy::registry
